"""The application: every route of the public API, and what surrounds them."""

from ascension import VERSION
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from ascension_api import openapi, problem_answers
from ascension_api.endpoints import analysis, api_keys, auth, docs, health, me, models, shares, videos, ws
from ascension_api.repetition import RepetitionGuard
from ascension_api.requests import RequestFrame


def create_app() -> FastAPI:
    """The FastAPI application. Its paths are relative to ``/api/v1``."""
    app = FastAPI(
        title="Ascension",
        version=VERSION,
        description="Climbing analysis: a video in, skeleton, holds, contacts and a Ghost Climber out.",
        servers=[{"url": "/api/v1"}],
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    for module in (health, auth, me, analysis, shares, videos, ws, api_keys, models, docs):
        app.include_router(module.router)
    problem_answers.install(app)
    app.openapi = lambda: openapi.document(app)  # type: ignore[method-assign]
    app.add_middleware(RepetitionGuard)
    app.add_middleware(RequestFrame)
    # The last one added is the outermost: a page may read our failures too. Tokens travel in a header, never in
    # cookies, so any page may call.
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "If-None-Match", "Idempotency-Key", "X-API-Key"],
        expose_headers=[
            "ETag",
            "Idempotency-Replayed",
            "Location",
            "RateLimit-Limit",
            "RateLimit-Remaining",
            "RateLimit-Reset",
            "Retry-After",
            "X-Request-Id",
        ],
        max_age=3600,
    )
    return app
