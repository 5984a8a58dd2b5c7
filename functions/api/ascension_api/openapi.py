"""The OpenAPI document: what FastAPI derives from the routes, with the errors as they really are.

``python -m ascension_api.openapi FILE`` writes it (with functions/api and layers/core on the path).
"""

import json
import sys
from pathlib import Path
from typing import Any

from ascension.accounts.problems import InvalidApiKey, NotAuthenticated, ScopeMissing
from ascension.problems import Problem
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from ascension_api.problem_answers import MEDIA_TYPE, BodyTooLarge, InvalidRequest, MalformedRequest, Unavailable

_SCHEMA = {
    "title": "Problem",
    "description": "RFC 9457. Clients decide by type; detail is a sentence for the user.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "request_id"],
    "properties": {
        "type": {"type": "string", "description": "A stable token."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "description": "With invalid-request: what is wrong, and where.",
            "type": "array",
            "items": {
                "type": "object",
                "required": ["loc", "type", "msg"],
                "properties": {
                    "loc": {"type": "array", "items": {"type": "string"}},
                    "type": {"type": "string"},
                    "msg": {"type": "string"},
                },
            },
        },
    },
}


def problems(*kinds: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route that may end in these problems, by status, each with an example."""
    responses: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        response = responses.setdefault(kind.status, {"description": "", "content": {MEDIA_TYPE: {"examples": {}}}})
        media = response["content"][MEDIA_TYPE]
        media["schema"] = {"$ref": "#/components/schemas/Problem"}
        media["examples"][kind.type] = {
            "summary": kind.title,
            "value": {
                "type": kind.type,
                "title": kind.title,
                "status": kind.status,
                "detail": kind.detail,
                "request_id": "6deaa106-7fd9-43cb-aa7e-e9113c232983",
            },
        }
        response["description"] = "; ".join(f"`{name}`" for name in media["examples"])
    return responses


def document(app: FastAPI) -> dict[str, Any]:
    """The application's OpenAPI document."""
    if app.openapi_schema:
        return app.openapi_schema
    made = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes, servers=app.servers
    )
    for methods in made["paths"].values():
        for operation in methods.values():
            _complete(operation)
    schemas = made["components"]["schemas"]
    schemas["Problem"] = _SCHEMA
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    app.openapi_schema = made
    return made


def _complete(operation: dict[str, Any]) -> None:
    """Add the errors that any route may end in to those that it names itself."""
    responses = operation["responses"]
    if operation.get("parameters") is None and "requestBody" not in operation:
        general: list[type[Problem]] = [Unavailable, Problem]
    else:
        general = [InvalidRequest, Unavailable, Problem]
    if "requestBody" in operation:
        general += [MalformedRequest, BodyTooLarge]
    if security := operation.get("security"):
        general.append(NotAuthenticated)
        if {"apiKey": []} in security:
            general += [InvalidApiKey, ScopeMissing]
    if InvalidRequest in general and "application/json" in responses.get("422", {}).get("content", {}):
        # FastAPI's own form of validation errors, which we do not use; a route's own 422 stays.
        responses["422"]["content"].pop("application/json")
        if not responses["422"]["content"]:
            del responses["422"]
    for status, response in problems(*general).items():
        known = responses.setdefault(str(status), response)
        if known is not response:
            known["content"][MEDIA_TYPE]["examples"] |= response["content"][MEDIA_TYPE]["examples"]
            known["description"] = "; ".join(f"`{name}`" for name in known["content"][MEDIA_TYPE]["examples"])
    operation["responses"] = dict(sorted(responses.items()))


if __name__ == "__main__":
    from ascension_api.app import create_app

    text = json.dumps(document(create_app()), indent=2, ensure_ascii=False) + "\n"
    Path(sys.argv[1]).write_text(text)
