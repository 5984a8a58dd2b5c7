"""Is the API alive?"""

import logging

from ascension import VERSION
from ascension.database import one, pool
from fastapi import APIRouter

from ascension_api.fields import Answer
from ascension_api.problem_answers import Unavailable

log = logging.getLogger("ascension.api")
router = APIRouter(tags=["health"])


class Health(Answer):
    status: str
    version: str


@router.get("/health", summary="Whether the API and its database are there")
def health() -> Health:
    try:
        with pool().connection(timeout=3) as tx:
            one(tx, "SELECT 1 AS alive")
    except Exception as error:
        log.exception("the database cannot be reached")
        raise Unavailable("The database cannot be reached. Please try again in a few seconds.") from error
    return Health(status="ok", version=VERSION)
