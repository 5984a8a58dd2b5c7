"""Where requests come from, and that there are not too many of them."""

import hashlib

from ascension.database import transaction
from ascension.rate_limits import AUTH_BY_ADDRESS, LOGIN_BY_ACCOUNT, SHARED_BY_ADDRESS, Level, take
from ascension.settings import settings
from fastapi import Request


def address_of(request: Request) -> str:
    """The client's IP address.

    Behind our distribution the gateway sees only the distribution's address, and the client's is the last but one of
    ``X-Forwarded-For`` (each hop appends whom it saw). Who calls the gateway past the distribution can make that up,
    and gets round the limits by address, but not round those by account.
    """
    event = request.scope.get("aws.event", {})
    if settings().public_url:
        hops = [hop.strip() for hop in request.headers.get("x-forwarded-for", "").split(",")]
        if len(hops) >= 2:
            return hops[-2][:64]
    seen = event.get("requestContext", {}).get("identity", {}).get("sourceIp")
    return str(seen or (request.client.host if request.client else "unknown"))


def by_address(request: Request) -> None:
    """A dependency of what opens accounts and sessions.

    Raises:
        TooManyRequests
    """
    with transaction() as tx:
        note(request, take(tx, AUTH_BY_ADDRESS, address_of(request)))


def follower(request: Request) -> None:
    """A dependency of what links show.

    Raises:
        TooManyRequests
    """
    with transaction() as tx:
        note(request, take(tx, SHARED_BY_ADDRESS, address_of(request)))


def login_attempt(request: Request, email: str) -> None:
    """Count an attempt to log in to an account, whether or not it exists.

    Raises:
        TooManyRequests
    """
    with transaction() as tx:
        note(request, take(tx, LOGIN_BY_ACCOUNT, hashlib.sha256(email.encode()).hexdigest()))


def note(request: Request, level: Level) -> None:
    """Let the answer say how much is left."""
    request.scope["ascension.rate_level"] = level
