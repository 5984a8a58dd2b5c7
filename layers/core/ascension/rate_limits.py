"""How often somebody may ask: leaky buckets in PostgreSQL, one for all Lambda environments.

The generic cell rate algorithm: of each bucket only the moment is kept at which it will have drained, so that a request
costs one row's update and nothing needs to be cleaned up for the count to be right.
"""

import math
from dataclasses import dataclass

from ascension.database import Transaction, one
from ascension.problems import Problem


@dataclass(frozen=True)
class Rate:
    """``burst`` requests at once, and in the long run ``per_minute``."""

    name: str
    burst: int
    per_minute: float

    @property
    def interval_s(self) -> float:
        """After how long one more request has drained."""
        return 60.0 / self.per_minute


# Guessing passwords: by account and by address. Opening accounts: by address.
LOGIN_BY_ACCOUNT = Rate("login-account", burst=20, per_minute=10)
AUTH_BY_ADDRESS = Rate("auth-address", burst=120, per_minute=120)
# Following links: by address. A page asks for an analysis and its picture, and again while it is under way.
SHARED_BY_ADDRESS = Rate("shared-address", burst=120, per_minute=240)
# Everything that is done with a token or a key.
USER = Rate("user", burst=200, per_minute=3000)


@dataclass(frozen=True)
class Level:
    """How full a bucket is after a request."""

    limit: int
    remaining: int
    reset_s: int

    def headers(self) -> dict[str, str]:
        """The usual headers (draft-ietf-httpapi-ratelimit-headers)."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_s),
        }


class TooManyRequests(Problem):
    type = "too-many-requests"
    title = "Too many requests"
    status = 429
    detail = "There were too many requests in a short time. Please wait as long as Retry-After says and try again."


def take(tx: Transaction, rate: Rate, subject: str) -> Level:
    """Put one request into the subject's bucket. Commit soon after: requests of the same subject wait for each other.

    Raises:
        TooManyRequests: it is full. The request does not count.
    """
    bucket = f"{rate.name}:{subject}"
    # Full when another interval would drain later than a whole burst from now.
    slack_s = (rate.burst - 1) * rate.interval_s
    row = one(
        tx,
        """
        INSERT INTO rate_limits AS known (bucket, drained_at)
        VALUES (%s, clock_timestamp() + make_interval(secs => %s))
        ON CONFLICT (bucket) DO UPDATE
        SET drained_at = greatest(known.drained_at, clock_timestamp()) + make_interval(secs => %s)
        WHERE known.drained_at <= clock_timestamp() + make_interval(secs => %s)
        RETURNING extract(epoch FROM drained_at - clock_timestamp())::double precision AS drains_in_s
        """,
        bucket,
        rate.interval_s,
        rate.interval_s,
        slack_s,
    )
    if row is not None:
        drains_in_s = row["drains_in_s"]
        remaining = max(0, math.floor(rate.burst - drains_in_s / rate.interval_s))
        return Level(rate.burst, remaining, math.ceil(drains_in_s))
    full = one(
        tx,
        "SELECT extract(epoch FROM drained_at - clock_timestamp())::double precision AS drains_in_s "
        "FROM rate_limits WHERE bucket = %s",
        bucket,
    )
    drains_in_s = full["drains_in_s"] if full else 0.0
    retry_after_s = max(1, math.ceil(drains_in_s - slack_s))
    level = Level(rate.burst, 0, max(1, math.ceil(drains_in_s)))
    raise TooManyRequests(headers={"Retry-After": str(retry_after_s), **level.headers()})
