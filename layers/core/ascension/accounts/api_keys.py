"""API keys, by which Enterprise customers' servers speak: shown once, stored hashed, limited by scope and time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid4

from ascension import rate_limits
from ascension.accounts.problems import (
    ApiKeyNotFound,
    InvalidApiKey,
    NeedsEnterprise,
    ScopeMissing,
    TooManyApiKeys,
)
from ascension.accounts.tokens import hash_of, new_opaque_token
from ascension.accounts.user import User
from ascension.database import every, one, transaction

Scope = Literal["analysis:read", "analysis:write", "videos:read", "videos:write"]
SCOPES: tuple[Scope, ...] = ("analysis:read", "analysis:write", "videos:read", "videos:write")

MAX_KEYS = 50
_MARK = "asc_"
# The mark and eight characters: enough to recognise a key by, too few to guess it from.
_PREFIX_LENGTH = len(_MARK) + 8
_COLUMNS = "id, name, prefix, scopes, created_at, expires_at, last_used_at"


@dataclass(frozen=True)
class ApiKey:
    """What can be shown of a key at any time."""

    id: UUID
    name: str
    prefix: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


def create(user: User, name: str, scopes: list[Scope], expires_at: datetime | None) -> tuple[ApiKey, str]:
    """Make a key.

    Returns:
        What is stored of it, and the key itself, which can never be seen again.

    Raises:
        NeedsEnterprise, TooManyApiKeys
    """
    if user.subscription_tier != "enterprise":
        raise NeedsEnterprise
    key = _MARK + new_opaque_token()
    with transaction() as tx:
        one(tx, "SELECT id FROM users WHERE id = %s FOR UPDATE", user.id)
        count = one(tx, "SELECT count(*) AS n FROM api_keys WHERE user_id = %s AND revoked_at IS NULL", user.id)
        if count is not None and count["n"] >= MAX_KEYS:
            raise TooManyApiKeys
        row = one(
            tx,
            "INSERT INTO api_keys (id, user_id, name, prefix, key_hash, scopes, expires_at) "
            f"VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING {_COLUMNS}",
            uuid4(),
            user.id,
            name,
            key[:_PREFIX_LENGTH],
            hash_of(key),
            sorted(set(scopes)),
            expires_at,
        )
    assert row is not None
    return ApiKey(**row), key


def list_keys(user: User) -> list[ApiKey]:
    """The user's keys that have not been revoked, newest first."""
    with transaction() as tx:
        rows = every(
            tx,
            f"SELECT {_COLUMNS} FROM api_keys WHERE user_id = %s AND revoked_at IS NULL "
            "ORDER BY created_at DESC, id DESC",
            user.id,
        )
    return [ApiKey(**row) for row in rows]


def revoke(user: User, key_id: UUID) -> None:
    """End a key, at once.

    Raises:
        ApiKeyNotFound: the same for somebody else's key as for one that never was.
    """
    with transaction() as tx:
        revoked = tx.execute(
            "UPDATE api_keys SET revoked_at = now() WHERE id = %s AND user_id = %s AND revoked_at IS NULL",
            (key_id, user.id),
        ).rowcount
    if not revoked:
        raise ApiKeyNotFound


def user_of(key: str, scope: Scope) -> tuple[User, rate_limits.Level]:
    """Whose key this is, if it may do what ``scope`` names, and how many requests are left.

    Raises:
        InvalidApiKey: unknown, revoked, expired, or its owner is not on Enterprise any more.
        ScopeMissing: a good key, but not for this.
        TooManyRequests
    """
    with transaction() as tx:
        row = one(
            tx,
            "SELECT k.id AS key_id, k.scopes, k.last_used_at < now() - interval '1 minute' AS unseen, "
            "u.id, u.email, u.subscription_tier, u.created_at FROM api_keys k JOIN users u ON u.id = k.user_id "
            "WHERE k.key_hash = %s AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now()) "
            "AND u.subscription_tier = 'enterprise'",
            hash_of(key),
        )
        if row is None:
            raise InvalidApiKey
        level = rate_limits.take(tx, rate_limits.USER, str(row["id"]))
        if row["unseen"] is not False:
            tx.execute("UPDATE api_keys SET last_used_at = now() WHERE id = %s", (row["key_id"],))
    if scope not in row["scopes"]:
        raise ScopeMissing(f"This API key may not do this: it lacks the scope {scope}. Please use one that has it.")
    return User(row["id"], row["email"], row["subscription_tier"], row["created_at"]), level
