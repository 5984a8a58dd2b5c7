"""Making, listing, revoking and following links."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from ascension.accounts.tokens import hash_of, new_opaque_token
from ascension.accounts.user import User
from ascension.analyses import repository as analyses
from ascension.analyses.problems import AnalysisNotFound
from ascension.database import Row, every, one, transaction
from ascension.settings import settings
from ascension.shares.problems import ShareNotFound, SharingNeedsPro, TooManyShares

MAX_DAYS = 90
DEFAULT_DAYS = 30
MAX_PER_ANALYSIS = 20


@dataclass(frozen=True)
class Shown:
    """What a link shows."""

    analysis: Row
    metrics: list[Row]
    thumbnail_key: str | None


def create(user: User, job_id: UUID, days: int) -> tuple[Row, str]:
    """Make a link to the user's analysis.

    Returns:
        ``{id, created_at, expires_at}``, and the token, which is not kept.

    Raises:
        AnalysisNotFound, SharingNeedsPro, TooManyShares
    """
    token = new_opaque_token()
    with transaction() as tx:
        # Held, so that links which are made at the same time are counted one after the other.
        query = "SELECT id FROM analyses WHERE id = %s AND user_id = %s FOR UPDATE"
        if one(tx, query, job_id, user.id) is None:
            raise AnalysisNotFound
        if not user.is_paying:
            raise SharingNeedsPro
        query = "SELECT count(*) AS alive FROM shares WHERE analysis_id = %s AND expires_at > now()"
        counted = one(tx, query, job_id)
        if counted is not None and counted["alive"] >= MAX_PER_ANALYSIS:
            raise TooManyShares
        share = one(
            tx,
            "INSERT INTO shares (id, analysis_id, user_id, token_hash, expires_at) "
            "VALUES (%s, %s, %s, %s, now() + make_interval(days => %s)) RETURNING id, created_at, expires_at",
            uuid4(),
            job_id,
            user.id,
            hash_of(token),
            days,
        )
    assert share is not None
    return share, token


def address(token: str) -> str:
    """Where people open the link: the page, or the API itself where there is no page (yet)."""
    configured = settings()
    if configured.public_url:
        return f"{configured.public_url}/app/index.html#/shared/{token}"
    return f"{configured.api_url}/shared/{token}"


def list_shares(user: User, job_id: UUID) -> list[Row]:
    """``{id, created_at, expires_at}`` of the links to the user's analysis, newest first.

    Raises:
        AnalysisNotFound
    """
    with transaction() as tx:
        if analyses.find_analysis(tx, user.id, job_id) is None:
            raise AnalysisNotFound
        return every(
            tx,
            "SELECT id, created_at, expires_at FROM shares WHERE analysis_id = %s AND user_id = %s "
            "AND expires_at > now() ORDER BY created_at DESC, id DESC",
            job_id,
            user.id,
        )


def revoke(user: User, job_id: UUID, share_id: UUID) -> None:
    """Take a link back. It shows nothing from now on.

    Raises:
        ShareNotFound
    """
    with transaction() as tx:
        query = "DELETE FROM shares WHERE id = %s AND analysis_id = %s AND user_id = %s RETURNING id"
        if one(tx, query, share_id, job_id, user.id) is None:
            raise ShareNotFound


def follow(token: str) -> Shown:
    """What the link with this token shows.

    Raises:
        ShareNotFound
    """
    with transaction() as tx:
        share = one(
            tx,
            "SELECT s.user_id, s.analysis_id, v.thumbnail_key FROM shares s "
            "JOIN analyses a ON a.id = s.analysis_id JOIN videos v ON v.id = a.video_id "
            "WHERE s.token_hash = %s AND s.expires_at > now()",
            hash_of(token),
        )
        if share is None:
            raise ShareNotFound
        analysis = analyses.find_analysis(tx, share["user_id"], share["analysis_id"])
        if analysis is None:
            raise ShareNotFound
        metrics = analyses.metrics(tx, [analysis["id"]])[analysis["id"]]
    return Shown(analysis, metrics, share["thumbnail_key"])
