"""Every error as application/problem+json (RFC 9457), ours and those of the framework."""

import json
import logging
from collections.abc import Sequence
from typing import Any

import psycopg
from ascension.problems import Problem
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException
from starlette.routing import Match

log = logging.getLogger("ascension.api")

MEDIA_TYPE = "application/problem+json"


class InvalidRequest(Problem):
    type = "invalid-request"
    title = "The request is not valid"
    status = 422
    detail = "The request is not valid. Please correct what errors lists and send it again."


class NotFound(Problem):
    type = "not-found"
    title = "There is nothing here"
    status = 404
    detail = "There is nothing at this address. Please check it."


class MethodNotAllowed(Problem):
    type = "method-not-allowed"
    title = "This cannot be done here"
    status = 405
    detail = "This address does not take this method. The Allow header lists those that it takes."


class BodyTooLarge(Problem):
    type = "body-too-large"
    title = "The request is too large"
    status = 413
    detail = "The request's body is too large. Videos are sent to the address that request-upload gives."


class MalformedRequest(Problem):
    type = "malformed-request"
    title = "The request cannot be understood"
    status = 400
    detail = "The request cannot be understood. Please check its form."


class Unavailable(Problem):
    type = "temporarily-unavailable"
    title = "Temporarily unavailable"
    status = 503
    detail = "This is temporarily unavailable. Please try again in a few seconds."

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, headers={"Retry-After": "5"})


def answer(problem: Problem, request_id: str) -> Response:
    """The problem as a response."""
    return Response(
        json.dumps(problem.body(request_id)),
        problem.status,
        {"Cache-Control": "no-store", **problem.headers},
        MEDIA_TYPE,
    )


def install(app: FastAPI) -> None:
    """Make the application answer with problems only."""
    app.add_exception_handler(Problem, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _framework)
    for error in (psycopg.OperationalError, PoolTimeout):
        app.add_exception_handler(error, _database_away)


def request_id_of(request: Request) -> str:
    """The id that names this request in the answer and in the logs."""
    request_id: str = request.scope["ascension.request_id"]
    return request_id


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return answer(error, request_id_of(request))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return answer(InvalidRequest(errors=_readable(error.errors())), request_id_of(request))


async def _framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        problem: Problem = NotFound()
    elif error.status_code == 405:
        problem = MethodNotAllowed(headers={"Allow": ", ".join(_methods_here(request))})
    elif error.status_code >= 500:
        log.error("the framework gave up", extra={"status": error.status_code})
        problem = Problem()
    else:
        problem = MalformedRequest()
    return answer(problem, request_id_of(request))


def _methods_here(request: Request) -> list[str]:
    """What may be done at the request's path. Starlette's own Allow header stops at the first route of a path."""
    return [
        method
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in request.app.routes)
    ]


async def _database_away(request: Request, error: Exception) -> Response:
    log.error("the database cannot be reached", exc_info=error)
    return answer(Unavailable(), request_id_of(request))


def _readable(errors: Sequence[Any]) -> list[dict[str, Any]]:
    """What is wrong and where, without what was sent: it may be a password."""
    return [
        {"loc": [str(part) for part in error["loc"]], "type": error["type"], "msg": error["msg"]} for error in errors
    ]
