"""The analysis library knows nothing of AWS, of web frameworks or of the database."""

import subprocess
import sys

_IMPORT_EVERYTHING = """
import importlib, pkgutil, sys
import ascension_vision
for module in pkgutil.walk_packages(ascension_vision.__path__, "ascension_vision."):
    importlib.import_module(module.name)
print(" ".join(sorted({name.split(".")[0] for name in sys.modules})))
"""


def test_importing_the_whole_library_imports_no_cloud_web_or_database_package() -> None:
    done = subprocess.run([sys.executable, "-c", _IMPORT_EVERYTHING], capture_output=True, text=True, check=True)
    imported = set(done.stdout.split())
    assert "torch" in imported
    assert not imported & {"boto3", "botocore", "fastapi", "starlette", "mangum", "psycopg", "aws_lambda_powertools"}
