"""Answers remembered for a day, so that a client whose connection broke may repeat a request without doing it twice."""

import hashlib
from dataclasses import dataclass
from typing import Literal

from ascension.database import one, transaction
from ascension.problems import Problem

# A call that has not answered after this long has died; its repetition may take over.
ABANDONED_AFTER_SECONDS = 60


class IdempotencyKeyReused(Problem):
    type = "idempotency-key-reused"
    title = "The Idempotency-Key belongs to another request"
    status = 409
    detail = "This Idempotency-Key came with another request before. Please use a new one for each new request."


class RequestInProgress(Problem):
    type = "request-in-progress"
    title = "The first request is still at work"
    status = 409
    detail = "The first request with this Idempotency-Key has not been answered yet. Please try again in a second."

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "1"})


@dataclass(frozen=True)
class Remembered:
    """The first request's answer."""

    status: int
    body: bytes


def request_hash(method: str, path: str, body: bytes) -> bytes:
    """What makes two requests the same."""
    return hashlib.sha256(b"\0".join((method.encode(), path.encode(), body))).digest()


def begin(owner: str, key: str, digest: bytes) -> Remembered | Literal["first"]:
    """Claim a key for a request.

    Returns:
        The answer that this request had before, or "first": do it, and ``finish`` or ``forget``.

    Raises:
        IdempotencyKeyReused: the key came with another request.
        RequestInProgress: the same request is at work right now.
    """
    with transaction() as tx:
        claimed = one(
            tx,
            "INSERT INTO idempotency_keys AS known (owner, key, request_hash) VALUES (%s, %s, %s) "
            "ON CONFLICT (owner, key) DO UPDATE SET request_hash = excluded.request_hash, status = NULL, body = NULL, "
            "created_at = now() WHERE known.created_at < now() - interval '24 hours' "
            "OR known.status IS NULL AND known.request_hash = excluded.request_hash "
            "AND known.created_at < now() - make_interval(secs => %s) RETURNING key",
            owner,
            key,
            digest,
            ABANDONED_AFTER_SECONDS,
        )
        if claimed is not None:
            return "first"
        known = one(
            tx, "SELECT request_hash, status, body FROM idempotency_keys WHERE owner = %s AND key = %s", owner, key
        )
    if known is None or (known["status"] is None and bytes(known["request_hash"]) == digest):
        raise RequestInProgress
    if bytes(known["request_hash"]) != digest:
        raise IdempotencyKeyReused
    return Remembered(known["status"], bytes(known["body"]))


def finish(owner: str, key: str, answer: Remembered, user_id: str) -> None:
    """Remember the answer for as long as the user's account exists, a day at most."""
    with transaction() as tx:
        tx.execute(
            "UPDATE idempotency_keys SET status = %s, body = %s, user_id = (SELECT id FROM users WHERE id = %s) "
            "WHERE owner = %s AND key = %s",
            (answer.status, answer.body, user_id, owner, key),
        )


def forget(owner: str, key: str) -> None:
    """The request was refused or failed: nothing was done, and it may be tried again."""
    with transaction() as tx:
        tx.execute("DELETE FROM idempotency_keys WHERE owner = %s AND key = %s AND status IS NULL", (owner, key))
