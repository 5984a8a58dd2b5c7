"""The OpenAPI document: what FastAPI derives from the routes, with the errors as they really are.

``python -m ascension_api.openapi FILE`` writes it (with functions/api and layers/core on the path).
"""

import json
import sys
from pathlib import Path
from typing import Any

from ascension.accounts.problems import InvalidApiKey, NotAuthenticated, ScopeMissing
from ascension.idempotency import IdempotencyKeyReused, RequestInProgress
from ascension.problems import Problem
from ascension.rate_limits import TooManyRequests
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

_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Repeated with the same key and body within 24 hours, a request is done once and answered alike.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "example": "b9c1ff0e-5d5c-4f7b-8c3c-0a4f6a4c2e11",
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
    # Not at the top: routes take `problems` from here.
    from ascension_api.repetition import ROUTES

    if app.openapi_schema:
        return app.openapi_schema
    made = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes, servers=app.servers
    )
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            if (method.upper(), path) in ROUTES:
                operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
                _merged(operation["responses"], problems(IdempotencyKeyReused, RequestInProgress))
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
        general += [NotAuthenticated, TooManyRequests]
        if {"apiKey": []} in security:
            general += [InvalidApiKey, ScopeMissing]
    if InvalidRequest in general and "application/json" in responses.get("422", {}).get("content", {}):
        # FastAPI's own form of validation errors, which we do not use; a route's own 422 stays.
        responses["422"]["content"].pop("application/json")
        if not responses["422"]["content"]:
            del responses["422"]
    operation["responses"] = dict(sorted(_merged(responses, problems(*general)).items()))


def _merged(responses: dict[str, Any], more: dict[int | str, dict[str, Any]]) -> dict[str, Any]:
    for status, response in more.items():
        known = responses.setdefault(str(status), response)
        if known is not response:
            known["content"][MEDIA_TYPE]["examples"] |= response["content"][MEDIA_TYPE]["examples"]
            known["description"] = "; ".join(f"`{name}`" for name in known["content"][MEDIA_TYPE]["examples"])
    return responses


if __name__ == "__main__":
    from ascension_api.app import create_app

    text = json.dumps(document(create_app()), indent=2, ensure_ascii=False) + "\n"
    Path(sys.argv[1]).write_text(text)
