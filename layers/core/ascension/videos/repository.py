"""Videos in PostgreSQL. Every query for a user carries the user's id: nobody finds what is somebody else's."""

from uuid import UUID

from ascension.database import Row, Transaction, every, one
from ascension.pages import Position

_COLUMNS = (
    "id, user_id, filename, content_type, object_key, announced_size_bytes, announced_duration_s, size_bytes, "
    "width, height, fps, duration_s, thumbnail_key, created_at, uploaded_at, saved_at, expires_at"
)
# Past its time a video is gone for its owner, even where the janitor has not come by yet.
_ALIVE = "removed_at IS NULL AND (saved_at IS NOT NULL OR expires_at > now())"


def insert_video(
    tx: Transaction,
    *,
    video_id: UUID,
    user_id: UUID,
    filename: str,
    content_type: str,
    object_key: str,
    size_bytes: int,
    duration_s: float | None,
) -> None:
    """Add a video that is about to be uploaded; unsaved, it lives for a day."""
    tx.execute(
        "INSERT INTO videos (id, user_id, filename, content_type, object_key, announced_size_bytes, "
        "announced_duration_s, expires_at) VALUES (%s, %s, %s, %s, %s, %s, %s, now() + interval '24 hours')",
        (video_id, user_id, filename, content_type, object_key, size_bytes, duration_s),
    )


def find_video(tx: Transaction, user_id: UUID, video_id: UUID) -> Row | None:
    """The user's video."""
    return one(tx, f"SELECT {_COLUMNS} FROM videos WHERE id = %s AND user_id = %s AND {_ALIVE}", video_id, user_id)


def lock_video(tx: Transaction, user_id: UUID, video_id: UUID) -> Row | None:
    """The user's video, held until the transaction ends. The upload event takes the same lock."""
    return one(
        tx,
        f"SELECT {_COLUMNS} FROM videos WHERE id = %s AND user_id = %s AND {_ALIVE} FOR UPDATE",
        video_id,
        user_id,
    )


def page(tx: Transaction, user_id: UUID, after: Position, limit: int) -> list[Row]:
    """The user's videos after a position, newest first; one more than ``limit`` where there are more."""
    return every(
        tx,
        f"SELECT {_COLUMNS} FROM videos WHERE user_id = %s AND (created_at, id) < (%s, %s) AND {_ALIVE} "
        "ORDER BY created_at DESC, id DESC LIMIT %s",
        user_id,
        after.created_at,
        after.id,
        limit + 1,
    )


def mark_saved(tx: Transaction, video_id: UUID, object_key: str) -> None:
    """The video is kept, and lies here now."""
    tx.execute("UPDATE videos SET saved_at = now(), object_key = %s WHERE id = %s", (object_key, video_id))


def mark_unsaved(tx: Transaction, video_id: UUID) -> None:
    """The video has another day to live."""
    tx.execute("UPDATE videos SET saved_at = NULL, expires_at = now() + interval '24 hours' WHERE id = %s", (video_id,))


def delete_video(tx: Transaction, video_id: UUID) -> None:
    """Remove a video and its analyses."""
    tx.execute("DELETE FROM videos WHERE id = %s", (video_id,))
