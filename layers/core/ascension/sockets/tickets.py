"""Tickets: browsers send no headers with a WebSocket, so they put one of these into its address. Each opens one."""

from uuid import UUID

from ascension.accounts.tokens import hash_of, new_opaque_token
from ascension.accounts.user import User
from ascension.database import one, transaction

LIFETIME_SECONDS = 30


def issue(user: User) -> str:
    """A ticket that the user's client can open one connection with, in the next 30 seconds."""
    ticket = new_opaque_token()
    with transaction() as tx:
        tx.execute(
            "INSERT INTO ws_tickets (ticket_hash, user_id, expires_at) "
            "VALUES (%s, %s, now() + make_interval(secs => %s))",
            (hash_of(ticket), user.id, LIFETIME_SECONDS),
        )
    return ticket


def redeem(ticket: str) -> UUID | None:
    """Whose ticket this is, once; None for one that is unknown, used or expired."""
    with transaction() as tx:
        row = one(
            tx,
            "DELETE FROM ws_tickets WHERE ticket_hash = %s RETURNING user_id, expires_at > now() AS valid",
            hash_of(ticket),
        )
    return row["user_id"] if row and row["valid"] else None
