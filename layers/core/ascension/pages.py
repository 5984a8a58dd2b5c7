"""Lists in pages: newest first, continued from an opaque cursor."""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from ascension.database import Row
from ascension.problems import Problem

MAX_LIMIT = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_MICROS = (datetime(9999, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)


class MalformedCursor(Problem):
    type = "malformed-cursor"
    title = "The cursor is not one of ours"
    status = 422
    detail = "Please pass next_cursor of the previous page unchanged, or leave cursor out for the first page."


@dataclass(frozen=True)
class Position:
    """The last row of a page. Rows are ordered by time and, among equals, by id, both descending."""

    created_at: datetime
    id: UUID

    def cursor(self) -> str:
        """The position in the form that clients pass back."""
        micros = (self.created_at - _EPOCH) // timedelta(microseconds=1)
        return base64.urlsafe_b64encode(micros.to_bytes(8, "big") + self.id.bytes).decode()

    @staticmethod
    def of(cursor: str | None) -> "Position":
        """Read a cursor; None is the position before the newest row.

        Raises:
            MalformedCursor
        """
        if cursor is None:
            return Position(datetime(9999, 1, 1, tzinfo=UTC), UUID(int=2**128 - 1))
        try:
            raw = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True)
            if len(raw) != 24:
                raise MalformedCursor
        except (binascii.Error, UnicodeEncodeError) as error:
            raise MalformedCursor from error
        # Integers, for a float does not hold today's microseconds exactly.
        since_1970 = timedelta(microseconds=min(int.from_bytes(raw[:8], "big"), _LATEST_MICROS))
        return Position(_EPOCH + since_1970, UUID(bytes=raw[8:]))


def next_cursor(rows: list[Row], limit: int) -> str | None:
    """The cursor after the first ``limit`` of ``rows``, one row more being asked for; None on the last page."""
    if len(rows) <= limit:
        return None
    last = rows[limit - 1]
    return Position(last["created_at"], last["id"]).cursor()
