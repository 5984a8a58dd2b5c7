"""What each tier may do: ten analyses a calendar month and no Ghost on Free, everything on Pro and Enterprise."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ascension.accounts.user import User
from ascension.analyses.problems import GhostNeedsPro, MonthlyQuotaReached
from ascension.database import Transaction, one

FREE_ANALYSES_A_MONTH = 10


@dataclass(frozen=True)
class Usage:
    """Analyses let in this calendar month (UTC) that have not failed; ``limit`` is None where there is none."""

    analyses_this_month: int
    limit: int | None
    resets_at: datetime


def usage(tx: Transaction, user: User) -> Usage:
    """Count what the user has used. Hold the user's row where the answer decides something."""
    row = one(
        tx,
        """
        WITH month AS (SELECT date_trunc('month', now(), 'UTC') AS starts)
        SELECT date_trunc('month', now(), 'UTC') + interval '1 month' AS resets_at,
               (SELECT count(*) FROM quota_uses WHERE user_id = %s AND used_at >= month.starts)
               - (SELECT count(*) FROM analyses a JOIN quota_uses u ON u.analysis_id = a.id
                  WHERE a.user_id = %s AND a.status = 'failed' AND u.used_at >= month.starts) AS used
        FROM month
        """,
        user.id,
        user.id,
    )
    assert row is not None
    return Usage(row["used"], None if user.is_paying else FREE_ANALYSES_A_MONTH, row["resets_at"])


def claim(tx: Transaction, user: User, job_id: UUID, *, ghost: bool) -> None:
    """Take one analysis from the user's quota. The caller holds the user's row (``accounts.repository.lock_user``).

    Raises:
        GhostNeedsPro, MonthlyQuotaReached: nothing is taken.
    """
    if not user.is_paying:
        if ghost:
            raise GhostNeedsPro
        if usage(tx, user).analyses_this_month >= FREE_ANALYSES_A_MONTH:
            raise MonthlyQuotaReached
    tx.execute("INSERT INTO quota_uses (analysis_id, user_id) VALUES (%s, %s)", (job_id, user.id))


def give_back_failed(tx: Transaction, video_id: UUID) -> None:
    """Before a video's analyses are deleted: the failed ones never counted and must not begin to."""
    tx.execute(
        "DELETE FROM quota_uses u USING analyses a "
        "WHERE a.id = u.analysis_id AND a.video_id = %s AND a.status = 'failed'",
        (video_id,),
    )
