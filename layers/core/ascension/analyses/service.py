"""Starting analyses and finding them again."""

import hashlib
import json
import logging
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from ascension.accounts import repository as accounts
from ascension.accounts.problems import NotAuthenticated
from ascension.accounts.user import User
from ascension.analyses import lifecycle, quota, repository
from ascension.analyses.problems import AnalysisNotFound
from ascension.database import Row, Transaction, transaction
from ascension.pages import Position, next_cursor
from ascension.videos import repository as videos
from ascension.videos.problems import VideoNotFound

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RequestedOptions:
    """How to analyse, as it was asked for. ``generate_ghost`` None: whatever the tier has."""

    generate_ghost: bool | None = None
    detect_holds: bool = True
    climber_height_cm: float | None = None
    wall_angle_deg: float | None = None
    climber_hint: tuple[float, float, float] | None = None

    def resolved(self, user: User) -> dict[str, Any]:
        """The options as they are stored and analysed: defaults filled in, what is not set left out."""
        ghost = user.is_paying if self.generate_ghost is None else self.generate_ghost
        options: dict[str, Any] = {"generate_ghost": ghost, "detect_holds": self.detect_holds}
        if self.climber_height_cm is not None:
            options["climber_height_cm"] = float(self.climber_height_cm)
        if self.wall_angle_deg is not None:
            options["wall_angle_deg"] = float(self.wall_angle_deg)
        if self.climber_hint is not None:
            options["climber_hint"] = dict(zip("xyt", map(float, self.climber_hint), strict=True))
        return options


@dataclass(frozen=True)
class Job:
    """An analysis as its starter sees it."""

    id: UUID
    status: str


def start(user: User, video_id: UUID, requested: RequestedOptions) -> Job:
    """Start the analysis of a video, before or after its upload. The same video and options give the same job.

    Raises:
        VideoNotFound, GhostNeedsPro, MonthlyQuotaReached
    """
    with transaction() as tx:
        job, uploaded = _create(tx, user, video_id, requested)
    if uploaded and job.status == "pending":
        try:
            lifecycle.dispatch(job.id)
        except Exception:
            # The job is in the database: the janitor will dispatch it within a minute.
            log.exception("could not start an execution", extra={"job_id": str(job.id)})
    return job


def create(tx: Transaction, user: User, video_id: UUID, requested: RequestedOptions) -> Job:
    """Put an analysis into the database, within the caller's transaction. See ``start``."""
    return _create(tx, user, video_id, requested)[0]


def find(user: User, job_id: UUID) -> tuple[Row, list[Row]]:
    """The user's analysis and its metrics.

    Raises:
        AnalysisNotFound
    """
    with transaction() as tx:
        analysis = repository.find_analysis(tx, user.id, job_id)
        if analysis is not None:
            return analysis, repository.metrics(tx, [job_id])[job_id]
    raise AnalysisNotFound


def page(user: User, cursor: str | None, limit: int) -> tuple[list[tuple[Row, list[Row]]], str | None]:
    """A page of the user's analyses with their metrics, and the cursor of the next.

    Raises:
        MalformedCursor
    """
    after = Position.of(cursor)
    with transaction() as tx:
        rows = repository.page(tx, user.id, after, limit)
        metrics = repository.metrics(tx, [row["id"] for row in rows[:limit]])
    return [(row, metrics[row["id"]]) for row in rows[:limit]], next_cursor(rows, limit)


def _create(tx: Transaction, user: User, video_id: UUID, requested: RequestedOptions) -> tuple[Job, bool]:
    # The user first, then the video, in this order everywhere. The tier is read again under the lock.
    holder = accounts.lock_user(tx, user.id)
    if holder is None:
        raise NotAuthenticated
    # The upload event takes this lock too: whichever of the two comes second sees what the first one did.
    video = videos.lock_video(tx, user.id, video_id)
    if video is None:
        raise VideoNotFound
    uploaded = video["uploaded_at"] is not None
    options = requested.resolved(holder)
    options_hash = hashlib.sha256(json.dumps(options, sort_keys=True).encode()).digest()
    existing = repository.find_unfailed(tx, video_id, options_hash)
    if existing is not None:
        return Job(existing["id"], existing["status"]), uploaded
    job_id = uuid4()
    quota.claim(tx, holder, job_id, ghost=options["generate_ghost"])
    repository.insert_analysis(
        tx, job_id=job_id, video_id=video_id, user_id=user.id, options=options, options_hash=options_hash
    )
    return Job(job_id, "pending"), uploaded
