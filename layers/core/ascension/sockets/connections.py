"""Open connections: who listens, and how to reach or drop them."""

import logging
from uuid import UUID

from ascension.database import Transaction, every, one, transaction
from ascension.settings import aws_client, settings

log = logging.getLogger(__name__)

# API Gateway ends a connection after two hours whatever happens, and does not always say so.
LIFETIME_HOURS = 2
MAX_PER_USER = 10


def opened(connection_id: str, user_id: UUID) -> bool:
    """Remember a connection; the user's oldest ones give way to it beyond ten.

    Returns:
        False where the account is gone.
    """
    with transaction() as tx:
        if one(tx, "SELECT id FROM users WHERE id = %s FOR UPDATE", user_id) is None:
            return False
        tx.execute(
            "INSERT INTO connections (connection_id, user_id, expires_at) "
            "VALUES (%s, %s, now() + make_interval(hours => %s)) ON CONFLICT (connection_id) DO NOTHING",
            (connection_id, user_id, LIFETIME_HOURS),
        )
        surplus = every(
            tx,
            "DELETE FROM connections WHERE connection_id IN (SELECT connection_id FROM connections WHERE user_id = %s "
            "ORDER BY connected_at DESC, connection_id OFFSET %s) RETURNING connection_id",
            user_id,
            MAX_PER_USER,
        )
    drop([row["connection_id"] for row in surplus])
    return True


def closed(connection_id: str) -> None:
    """Forget a connection."""
    with transaction() as tx:
        tx.execute("DELETE FROM connections WHERE connection_id = %s", (connection_id,))


def forget_all(tx: Transaction, user_id: UUID) -> list[str]:
    """Forget the connections of a user; returns their ids, to be dropped."""
    rows = every(tx, "DELETE FROM connections WHERE user_id = %s RETURNING connection_id", user_id)
    return [row["connection_id"] for row in rows]


def send(connection_id: str, frame: bytes) -> None:
    """Send a text frame; a client that has gone meanwhile is forgotten."""
    socket = aws_client("apigatewaymanagementapi", settings().connections_url)
    try:
        socket.post_to_connection(ConnectionId=connection_id, Data=frame)
    except socket.exceptions.GoneException:
        closed(connection_id)


def drop(connection_ids: list[str]) -> None:
    """Close connections. Never raises: API Gateway ends after two hours what could not be reached."""
    if not connection_ids:
        return
    socket = aws_client("apigatewaymanagementapi", settings().connections_url)
    for connection_id in connection_ids:
        try:
            socket.delete_connection(ConnectionId=connection_id)
        except socket.exceptions.GoneException:
            pass
        except Exception:
            log.warning("could not drop a connection", exc_info=True)
