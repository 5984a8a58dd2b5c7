"""Events to every open connection of one user, and to no one else."""

import json
import logging
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from ascension.database import every, transaction
from ascension.settings import aws_client, settings
from ascension.times import iso8601

log = logging.getLogger(__name__)


def publish(user_id: UUID, event: str, job_id: UUID, data: dict[str, Any]) -> None:
    """Send ``{event, job_id, at, data}`` to the user's connections; those that are gone are forgotten.

    Never raises for a client's sake: whoever missed an event finds everything with ``GET /analysis/{job_id}``.
    """
    with transaction() as tx:
        rows = every(tx, "SELECT connection_id FROM connections WHERE user_id = %s AND expires_at > now()", user_id)
    if not rows:
        return
    at = iso8601(datetime.now(UTC))
    frame = json.dumps({"event": event, "job_id": str(job_id), "at": at, "data": data}).encode()
    socket = aws_client("apigatewaymanagementapi", settings().connections_url)
    gone = []
    for row in rows:
        try:
            socket.post_to_connection(ConnectionId=row["connection_id"], Data=frame)
        except socket.exceptions.GoneException:
            gone.append(row["connection_id"])
        except Exception:
            log.exception("could not notify a connection", extra={"job_id": str(job_id), "event": event})
    if gone:
        with transaction() as tx:
            tx.execute("DELETE FROM connections WHERE connection_id = ANY(%s)", (gone,))
