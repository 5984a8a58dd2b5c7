"""Announcing, listing, keeping and deleting videos."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from ascension.accounts.user import User
from ascension.analyses import cancellation, lifecycle, quota
from ascension.analyses import repository as analyses
from ascension.analyses import service as analyses_service
from ascension.database import Row, transaction
from ascension.pages import Position, next_cursor
from ascension.videos import repository, storage
from ascension.videos.problems import (
    SavingNeedsPro,
    UnsupportedVideoType,
    VideoNotFound,
    VideoNotUploaded,
    VideoTooLarge,
    VideoTooLong,
)

MAX_BYTES = 500 * 1024 * 1024
MAX_SECONDS = 300.0

# What phones and cameras call what they record.
_SUFFIXES = {
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/x-m4v": ".mp4",
    "video/m4v": ".mp4",
    "video/mpeg4": ".mp4",
    "video/hevc": ".mp4",
    "video/h264": ".mp4",
    "video/h265": ".mp4",
    "video/3gpp": ".mp4",
    "video/3gpp2": ".mp4",
    "video/webm": ".mp4",
    "video/x-matroska": ".mp4",
}
CONTENT_TYPES = tuple(_SUFFIXES)


@dataclass(frozen=True)
class Upload:
    """An announced video and how to send it."""

    video_id: UUID
    job_id: UUID | None
    url: str
    headers: dict[str, str]
    expires_in: int = storage.UPLOAD_URL_SECONDS


def request_upload(
    user: User,
    *,
    filename: str,
    content_type: str,
    size_bytes: int,
    duration_s: float | None,
    start: analyses_service.RequestedOptions | None,
) -> Upload:
    """Announce a video; with ``start`` its analysis begins when the bytes arrive.

    Raises:
        UnsupportedVideoType, VideoTooLarge, VideoTooLong, GhostNeedsPro, MonthlyQuotaReached: nothing is announced.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in _SUFFIXES:
        raise UnsupportedVideoType
    if size_bytes > MAX_BYTES:
        raise VideoTooLarge
    if duration_s is not None and duration_s > MAX_SECONDS:
        raise VideoTooLong
    video_id = uuid4()
    key = storage.upload_key(user.id, video_id, _SUFFIXES[kind])
    job_id = None
    with transaction() as tx:
        repository.insert_video(
            tx,
            video_id=video_id,
            user_id=user.id,
            filename=filename,
            content_type=kind,
            object_key=key,
            size_bytes=size_bytes,
            duration_s=duration_s,
        )
        if start is not None:
            job_id = analyses_service.create(tx, user, video_id, start).id
    url, headers = storage.presigned_upload(key, kind, size_bytes)
    return Upload(video_id, job_id, url, headers)


def find(user: User, video_id: UUID) -> Row:
    """The user's video.

    Raises:
        VideoNotFound
    """
    with transaction() as tx:
        video = repository.find_video(tx, user.id, video_id)
    if video is None:
        raise VideoNotFound
    return video


def page(user: User, cursor: str | None, limit: int) -> tuple[list[Row], str | None]:
    """A page of the user's videos and the cursor of the next.

    Raises:
        MalformedCursor
    """
    after = Position.of(cursor)
    with transaction() as tx:
        rows = repository.page(tx, user.id, after, limit)
    return rows[:limit], next_cursor(rows, limit)


def save(user: User, video_id: UUID) -> Row:
    """Keep a video past its 24 hours. Saving twice changes nothing.

    The uploaded object stays until the bucket's lifecycle rule takes it, for an analysis may be reading it.

    Raises:
        VideoNotFound, SavingNeedsPro, VideoNotUploaded
    """
    video = find(user, video_id)
    if not user.is_paying:
        raise SavingNeedsPro
    if video["saved_at"] is not None:
        return video
    if video["uploaded_at"] is None:
        raise VideoNotUploaded
    target = storage.saved_key(user.id, video_id, video["object_key"])
    # No row is locked while S3 copies: the copy is the same whoever makes it.
    if video["object_key"] != target and not storage.copy(video["object_key"], target):
        raise VideoNotFound
    with transaction() as tx:
        wanted = repository.lock_video(tx, user.id, video_id) is not None
        if wanted:
            repository.mark_saved(tx, video_id, target)
    if not wanted:
        # Deleted meanwhile: nobody else knows of the copy.
        storage.remove_objects([target])
    return find(user, video_id)


def unsave(user: User, video_id: UUID) -> None:
    """Let a saved video go: it is deleted in 24 hours. Unsaving twice changes nothing.

    Raises:
        VideoNotFound
    """
    with transaction() as tx:
        video = repository.lock_video(tx, user.id, video_id)
        if video is not None and video["saved_at"] is not None:
            repository.mark_unsaved(tx, video_id)
    if video is None:
        raise VideoNotFound


def delete(user: User, video_id: UUID) -> None:
    """Delete a video with its analyses, objects first so that a failure can be repeated.

    Raises:
        VideoNotFound
    """
    video = find(user, video_id)
    with transaction() as tx:
        jobs = analyses.jobs_of_video(tx, user.id, video_id)
    for job_id, run_id in jobs:
        if run_id is not None:
            cancellation.cancel(run_id)
        storage.remove(lifecycle.result_prefix(user.id, job_id))
    storage.remove_video(user.id, video_id, video["object_key"])
    with transaction() as tx:
        if repository.lock_video(tx, user.id, video_id) is not None:
            quota.give_back_failed(tx, video_id)
            repository.delete_video(tx, video_id)
    # One of them may have held a place that another video's analysis waits for.
    if any(run_id is not None for _, run_id in jobs):
        lifecycle.free_place(user.id)
