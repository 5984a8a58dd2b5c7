"""Users and refresh tokens in PostgreSQL."""

from datetime import datetime
from uuid import UUID

from ascension.accounts.user import Tier, User
from ascension.database import Row, Transaction, every, one


def insert_user(tx: Transaction, user_id: UUID, email: str, password_hash: str) -> User | None:
    """Add a user, or nothing (None) where the address is taken."""
    row = one(
        tx,
        "INSERT INTO users (id, email, password_hash) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING "
        "RETURNING id, email, subscription_tier, created_at",
        user_id,
        email,
        password_hash,
    )
    return User(**row) if row else None


def find_user(tx: Transaction, user_id: UUID) -> User | None:
    """The user with this id."""
    row = one(tx, "SELECT id, email, subscription_tier, created_at FROM users WHERE id = %s", user_id)
    return User(**row) if row else None


def find_credentials(tx: Transaction, email: str) -> tuple[User, str] | None:
    """The user with this address, and the stored password."""
    row = one(
        tx,
        "SELECT id, email, subscription_tier, created_at, password_hash FROM users WHERE lower(email) = %s",
        email,
    )
    if row is None:
        return None
    stored = row.pop("password_hash")
    return User(**row), stored


def lock_user(tx: Transaction, user_id: UUID) -> User | None:
    """The user, held until the transaction ends: what must be counted per user is counted under this lock."""
    row = one(tx, "SELECT id, email, subscription_tier, created_at FROM users WHERE id = %s FOR UPDATE", user_id)
    return User(**row) if row else None


def update_password(tx: Transaction, user_id: UUID, password_hash: str) -> None:
    """Store another hash of the password."""
    tx.execute("UPDATE users SET password_hash = %s WHERE id = %s", (password_hash, user_id))


def update_tier(tx: Transaction, email: str, tier: Tier) -> User | None:
    """Move a user to another tier; None where there is no such user."""
    row = one(
        tx,
        "UPDATE users SET subscription_tier = %s WHERE lower(email) = %s "
        "RETURNING id, email, subscription_tier, created_at",
        tier,
        email,
    )
    return User(**row) if row else None


def delete_user(tx: Transaction, user_id: UUID) -> None:
    """Remove a user and every row that hangs on one."""
    tx.execute("DELETE FROM users WHERE id = %s", (user_id,))


def insert_refresh_token(
    tx: Transaction, token_hash: bytes, family_id: UUID, user_id: UUID, expires_at: datetime
) -> None:
    """Remember a refresh token."""
    tx.execute(
        "INSERT INTO refresh_tokens (token_hash, family_id, user_id, expires_at) VALUES (%s, %s, %s, %s)",
        (token_hash, family_id, user_id, expires_at),
    )


def lock_refresh_token(tx: Transaction, token_hash: bytes) -> Row | None:
    """``{family_id, user_id, usable, rotated, rotated_for_s}`` of a refresh token, held until the transaction ends."""
    return one(
        tx,
        "SELECT family_id, user_id, revoked_at IS NULL AND expires_at > now() AS usable, "
        "rotated_at IS NOT NULL AS rotated, extract(epoch FROM now() - rotated_at)::double precision AS rotated_for_s "
        "FROM refresh_tokens WHERE token_hash = %s FOR UPDATE",
        token_hash,
    )


def mark_rotated(tx: Transaction, token_hash: bytes) -> None:
    """The token has been exchanged; the first time counts."""
    tx.execute(
        "UPDATE refresh_tokens SET rotated_at = coalesce(rotated_at, now()) WHERE token_hash = %s", (token_hash,)
    )


def revoke_family(tx: Transaction, family_id: UUID) -> None:
    """End the session: every token that came from one login."""
    tx.execute("UPDATE refresh_tokens SET revoked_at = now() WHERE family_id = %s AND revoked_at IS NULL", (family_id,))


def running(tx: Transaction, user_id: UUID) -> list[UUID]:
    """The ids of the user's analyses, and of corrections of them, that are not over."""
    rows = every(
        tx,
        "SELECT coalesce(correction_id, id) AS run_id FROM analyses "
        "WHERE user_id = %s AND status IN ('pending', 'processing')",
        user_id,
    )
    return [row["run_id"] for row in rows]
