import sys

from ascension_local.command import main

sys.exit(main())
