"""Analyses in PostgreSQL. Every query for a user carries the user's id: nobody finds what is somebody else's."""

from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from ascension.database import Row, Transaction, every, one
from ascension.pages import Position

# While a correction waits for its turn the analysis is under way again, whoever asks.
_STATUS = "CASE WHEN correction_id IS NULL THEN status ELSE 'processing' END AS status"
_COLUMNS = (
    f"id, video_id, user_id, {_STATUS}, options, stage, fraction, error, processing_time_ms, created_at, started_at, "
    "completed_at, result_etag, result_folder, revision"
)


def insert_analysis(
    tx: Transaction, *, job_id: UUID, video_id: UUID, user_id: UUID, options: dict[str, Any], options_hash: bytes
) -> None:
    """Add a pending analysis."""
    tx.execute(
        "INSERT INTO analyses (id, video_id, user_id, options, options_hash) VALUES (%s, %s, %s, %s, %s)",
        (job_id, video_id, user_id, Jsonb(options), options_hash),
    )


def find_unfailed(tx: Transaction, video_id: UUID, options_hash: bytes) -> Row | None:
    """``{id, status}`` of the analysis of this video with these options that has not failed."""
    return one(
        tx,
        f"SELECT id, {_STATUS} FROM analyses WHERE video_id = %s AND options_hash = %s AND status <> 'failed'",
        video_id,
        options_hash,
    )


def find_analysis(tx: Transaction, user_id: UUID, job_id: UUID) -> Row | None:
    """The user's analysis, without its result."""
    return one(tx, f"SELECT {_COLUMNS} FROM analyses WHERE id = %s AND user_id = %s", job_id, user_id)


def compact_result(tx: Transaction, user_id: UUID, job_id: UUID, revision: int) -> bytes | None:
    """The compact result of the user's analysis, gzipped JSON, as long as it has this revision."""
    row = one(
        tx,
        "SELECT result FROM analyses WHERE id = %s AND user_id = %s AND revision = %s",
        job_id,
        user_id,
        revision,
    )
    return bytes(row["result"]) if row and row["result"] is not None else None


def page(tx: Transaction, user_id: UUID, after: Position, limit: int) -> list[Row]:
    """The user's analyses after a position, newest first; one more than ``limit`` where there are more."""
    return every(
        tx,
        f"SELECT {_COLUMNS} FROM analyses WHERE user_id = %s AND (created_at, id) < (%s, %s) "
        "ORDER BY created_at DESC, id DESC LIMIT %s",
        user_id,
        after.created_at,
        after.id,
        limit + 1,
    )


def metrics(tx: Transaction, job_ids: list[UUID]) -> dict[UUID, list[Row]]:
    """The metrics of analyses, by analysis: ``{name, value, unit, uncertainty, reason}``."""
    found: dict[UUID, list[Row]] = {job_id: [] for job_id in job_ids}
    for row in every(
        tx,
        "SELECT analysis_id, name, value, unit, uncertainty, reason FROM analysis_metrics "
        "WHERE analysis_id = ANY(%s) ORDER BY analysis_id, name",
        job_ids,
    ):
        found[row["analysis_id"]].append(row)
    return found


def jobs_of_video(tx: Transaction, user_id: UUID, video_id: UUID) -> list[tuple[UUID, UUID | None]]:
    """The analyses of the user's video, and what is under way for each: its own id or its correction's, or None."""
    rows = every(
        tx,
        "SELECT id, CASE WHEN status IN ('pending', 'processing') THEN coalesce(correction_id, id) END AS run_id "
        "FROM analyses WHERE video_id = %s AND user_id = %s",
        video_id,
        user_id,
    )
    return [(row["id"], row["run_id"]) for row in rows]
