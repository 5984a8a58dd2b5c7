"""Registering, logging in and out, and leaving."""

import logging
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from ascension import rate_limits
from ascension.accounts import passwords, repository
from ascension.accounts.problems import EmailTaken, InvalidRefreshToken, NotAuthenticated, WrongCredentials
from ascension.accounts.tokens import ACCESS_LIFETIME, hash_of, issue_access_token, new_opaque_token
from ascension.accounts.user import Tier, User
from ascension.analyses import cancellation, quota
from ascension.database import Transaction, transaction
from ascension.sockets import connections
from ascension.videos import storage

log = logging.getLogger(__name__)

REFRESH_LIFETIME = timedelta(days=30)
# A client whose answer got lost asks again with the token it has; only later is that a theft.
RETRY_GRACE_SECONDS = 20


@dataclass(frozen=True)
class Session:
    """What a login gives."""

    access_token: str
    refresh_token: str
    expires_in: int = int(ACCESS_LIFETIME.total_seconds())


def normalised(email: str) -> str:
    """The form in which addresses are stored and compared."""
    return unicodedata.normalize("NFC", email).strip().lower()


def register(email: str, password: str) -> User:
    """Open a free account.

    Raises:
        WeakPassword, EmailTaken
    """
    address = normalised(email)
    passwords.check_strength(password, address)
    stored = passwords.hash_password(password)
    with transaction() as tx:
        user = repository.insert_user(tx, uuid4(), address, stored)
    if user is None:
        raise EmailTaken
    return user


def login(email: str, password: str) -> Session:
    """Open a session. Takes the same time whether or not the account exists.

    Raises:
        WrongCredentials
    """
    with transaction() as tx:
        found = repository.find_credentials(tx, normalised(email))
    # No connection is held while the hash is computed.
    if not passwords.matches(password, found[1] if found else None) or found is None:
        raise WrongCredentials
    user, stored = found
    with transaction() as tx:
        if passwords.outdated(stored):
            repository.update_password(tx, user.id, passwords.hash_password(password))
        return _open_session(tx, user.id, family_id=uuid4())


def refresh(refresh_token: str) -> Session:
    """Exchange a refresh token for a new pair. A token used again after the grace period ends the whole session.

    Raises:
        InvalidRefreshToken
    """
    token_hash = hash_of(refresh_token)
    with transaction() as tx:
        row = repository.lock_refresh_token(tx, token_hash)
        if row is not None and row["usable"]:
            if not row["rotated"] or row["rotated_for_s"] <= RETRY_GRACE_SECONDS:
                repository.mark_rotated(tx, token_hash)
                return _open_session(tx, row["user_id"], row["family_id"])
            repository.revoke_family(tx, row["family_id"])
            log.warning("a refresh token was used again: session ended", extra={"user_id": str(row["user_id"])})
    # Outside of the transaction, for the revocation must be committed.
    raise InvalidRefreshToken


def logout(refresh_token: str) -> None:
    """End the session that the token belongs to, if there is one."""
    with transaction() as tx:
        row = repository.lock_refresh_token(tx, hash_of(refresh_token))
        if row is not None:
            repository.revoke_family(tx, row["family_id"])


def authenticated(user_id: UUID) -> tuple[User, rate_limits.Level]:
    """The user that a valid token names, and how many requests are left.

    Raises:
        NotAuthenticated: the account is gone.
        TooManyRequests
    """
    with transaction() as tx:
        user = repository.find_user(tx, user_id)
        if user is None:
            raise NotAuthenticated
        return user, rate_limits.take(tx, rate_limits.USER, str(user_id))


def usage(user: User) -> quota.Usage:
    """What the user has used of this month's quota."""
    with transaction() as tx:
        return quota.usage(tx, user)


def delete_account(user: User) -> None:
    """Remove all of the user's data: running jobs, objects, rows. May be repeated when it failed half-way."""
    with transaction() as tx:
        runs = repository.running(tx, user.id)
        listeners = connections.forget_all(tx, user.id)
        # Gone for everybody only when the objects are: a failure in between leaves the rows that know of them. Until
        # then who is about to note a video or a model for this user waits, and finds that nobody wants it.
        repository.delete_user(tx, user.id)
        for run_id in runs:
            cancellation.cancel(run_id)
        connections.drop(listeners)
        storage.remove_everything_of(user.id)
    # What a job put there before it was stopped. A video that still comes is gone after its day; a model, at once, for
    # nobody has announced it.
    if runs:
        storage.remove(f"results/{user.id}/")


def set_tier(email: str, tier: Tier) -> User | None:
    """Move a user to another tier; None where no account has this address."""
    with transaction() as tx:
        return repository.update_tier(tx, normalised(email), tier)


def _open_session(tx: Transaction, user_id: UUID, family_id: UUID) -> Session:
    token = new_opaque_token()
    repository.insert_refresh_token(tx, hash_of(token), family_id, user_id, datetime.now(UTC) + REFRESH_LIFETIME)
    return Session(issue_access_token(user_id), token)
