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


def test_opening_a_file_that_is_no_video_does_not_wait_for_pytorch() -> None:
    script = (
        "import sys, pathlib; from ascension_vision.analysis import analyze\n"
        "try: analyze(pathlib.Path(sys.executable))\n"
        "except Exception as problem: print(type(problem).__name__, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["Problem", "False"]
