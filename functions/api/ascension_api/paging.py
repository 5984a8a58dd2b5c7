"""The query parameters of lists."""

from typing import Annotated

from ascension.pages import MAX_LIMIT
from fastapi import Query

Cursor = Annotated[
    str | None,
    Query(
        max_length=200,
        description="next_cursor of the page before",
        json_schema_extra={"pattern": "^[A-Za-z0-9_-]{32}$"},
    ),
]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]
