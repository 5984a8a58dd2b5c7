"""The user's videos."""

from typing import Any
from uuid import UUID

from ascension.database import Row
from ascension.pages import MalformedCursor
from ascension.videos import service, storage
from ascension.videos.problems import SavingNeedsPro, VideoNotFound, VideoNotUploaded
from fastapi import APIRouter

from ascension_api.fields import Answer, Moment
from ascension_api.identity import VideoReader, VideoWriter
from ascension_api.openapi import problems
from ascension_api.paging import Cursor, Limit

router = APIRouter(prefix="/videos", tags=["videos"])


class VideoSummary(Answer):
    """What is known of the picture is null until an analysis has looked at it."""

    id: UUID
    filename: str
    content_type: str
    file_size_bytes: int
    width: int | None
    height: int | None
    fps: float | None
    duration_seconds: float | None
    created_at: Moment
    uploaded_at: Moment | None
    saved: bool
    saved_at: Moment | None
    expires_at: Moment | None


class Video(VideoSummary):
    """``download_url`` is null until the bytes have arrived, ``thumbnail_url`` until the video has been analysed."""

    download_url: str | None
    thumbnail_url: str | None
    urls_expire_in: int


class VideoPage(Answer):
    items: list[VideoSummary]
    next_cursor: str | None


@router.get("", summary="The user's videos, newest first", responses=problems(MalformedCursor))
def page(user: VideoReader, cursor: Cursor = None, limit: Limit = 20) -> VideoPage:
    rows, next_cursor = service.page(user, cursor, limit)
    return VideoPage(items=[VideoSummary(**_facts(row)) for row in rows], next_cursor=next_cursor)


@router.get(
    "/{video_id:uuid}",
    summary="A video, with addresses to download it and its thumbnail",
    responses=problems(VideoNotFound),
)
def read(video_id: UUID, user: VideoReader) -> Video:
    return _whole(service.find(user, video_id))


@router.post(
    "/{video_id:uuid}/save",
    summary="Keep a video past its 24 hours (Pro)",
    responses=problems(VideoNotFound, SavingNeedsPro, VideoNotUploaded),
)
def save(video_id: UUID, user: VideoWriter) -> Video:
    return _whole(service.save(user, video_id))


@router.delete(
    "/{video_id:uuid}/save",
    status_code=204,
    summary="Do not keep a video: it is deleted in 24 hours",
    responses=problems(VideoNotFound),
)
def unsave(video_id: UUID, user: VideoWriter) -> None:
    service.unsave(user, video_id)


@router.delete(
    "/{video_id:uuid}",
    status_code=204,
    summary="Delete a video and its analyses",
    responses=problems(VideoNotFound),
)
def delete(video_id: UUID, user: VideoWriter) -> None:
    service.delete(user, video_id)


def _facts(row: Row) -> dict[str, Any]:
    return {
        **row,
        "file_size_bytes": row["announced_size_bytes"] if row["size_bytes"] is None else row["size_bytes"],
        "duration_seconds": row["announced_duration_s"] if row["duration_s"] is None else row["duration_s"],
        "saved": row["saved_at"] is not None,
        "expires_at": row["expires_at"] if row["saved_at"] is None else None,
    }


def _whole(row: Row) -> Video:
    return Video(
        **_facts(row),
        download_url=storage.presigned_download(row["object_key"], row["filename"]) if row["uploaded_at"] else None,
        thumbnail_url=storage.presigned_download(row["thumbnail_key"]) if row["thumbnail_key"] else None,
        urls_expire_in=storage.DOWNLOAD_URL_SECONDS,
    )
