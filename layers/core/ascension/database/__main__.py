"""``python -m ascension.database migrate``: bring the database in DATABASE_URL (or DATABASE_SECRET_ARN) up to date."""

import sys

from ascension.database import conninfo
from ascension.database.migrations import migrate

if sys.argv[1:] != ["migrate"]:
    sys.exit(__doc__)
applied = migrate(conninfo())
print("applied " + ", ".join(applied) if applied else "nothing to apply")
