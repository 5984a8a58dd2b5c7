"""docs/openapi.json is what the application says of itself."""

import json
from pathlib import Path

from ascension_api.app import create_app

COMMITTED = Path(__file__).parents[3] / "docs" / "openapi.json"
COMMAND = "PYTHONPATH=functions/api .venv/bin/python -m ascension_api.openapi docs/openapi.json"


def test_the_committed_document_is_the_applications_own() -> None:
    assert json.loads(COMMITTED.read_text()) == create_app().openapi(), f"run: {COMMAND}"


def test_every_error_is_a_problem() -> None:
    for path, methods in create_app().openapi()["paths"].items():
        for method, operation in methods.items():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    assert list(response["content"]) == ["application/problem+json"], (method, path, status)
                    assert response["content"]["application/problem+json"]["examples"]
