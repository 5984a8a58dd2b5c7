"""Access tokens (signed, 24 hours) and the opaque tokens that are only stored as hashes."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import jwt

from ascension.accounts.problems import NotAuthenticated
from ascension.accounts.signing import signing_keys

ISSUER = "ascension"
AUDIENCE = "ascension-api"
ALGORITHM = "HS256"
ACCESS_LIFETIME = timedelta(hours=24)


def issue_access_token(user_id: UUID, now: datetime | None = None) -> str:
    """A JWT that proves who the user is for the next 24 hours."""
    issued_at = now or datetime.now(UTC)
    keys = signing_keys()
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(user_id),
        "iat": issued_at,
        "exp": issued_at + ACCESS_LIFETIME,
        "jti": str(uuid4()),
    }
    return jwt.encode(claims, keys.keys[keys.current], algorithm=ALGORITHM, headers={"kid": keys.current})


def user_of_access_token(token: str) -> UUID:
    """Whose token this is.

    Raises:
        NotAuthenticated: malformed, expired, for another audience, or not signed by our keys with our algorithm.
    """
    try:
        kid = jwt.get_unverified_header(token).get("kid")
        if not isinstance(kid, str) or (key := signing_keys(kid).keys.get(kid)) is None:
            raise NotAuthenticated
        claims = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={"require": ["exp", "iat", "iss", "aud", "sub", "jti"]},
        )
        return UUID(claims["sub"])
    except (jwt.InvalidTokenError, ValueError, AttributeError) as error:
        raise NotAuthenticated from error


def bearer_token(authorization: str | None) -> str:
    """The token in an ``Authorization: Bearer …`` header.

    Raises:
        NotAuthenticated: there is none.
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotAuthenticated
    return token.strip()


def new_opaque_token() -> str:
    """256 random bits, safe in URLs and headers."""
    return secrets.token_urlsafe(32)


def hash_of(token: str) -> bytes:
    """What is stored of an opaque token; with 256 random bits in it a plain hash cannot be guessed back."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
