"""An analysis as the API shows it: one envelope whatever its state, the result spliced in as it was stored."""

import json
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from ascension import VERSION
from ascension.accounts.user import User
from ascension.analyses import repository
from ascension.analyses.lifecycle import result_prefix
from ascension.analyses.problems import AnalysisNotFound
from ascension.analyses.splicing import Spliced
from ascension.database import Row, transaction
from ascension.times import iso8601
from ascension.videos import storage

Format = Literal["compact", "verbose"]


def summary(analysis: Row, metrics: list[Row]) -> dict[str, Any]:
    """The envelope without the result."""
    return {
        "id": str(analysis["id"]),
        "video_id": str(analysis["video_id"]),
        "status": analysis["status"],
        "created_at": _time(analysis["created_at"]),
        "started_at": _time(analysis["started_at"]),
        "completed_at": _time(analysis["completed_at"]),
        "processing_time_ms": analysis["processing_time_ms"],
        "options": analysis["options"],
        "progress": {"stage": analysis["stage"], "fraction": analysis["fraction"]},
        "error": analysis["error"],
        "metrics": {row["name"]: row["value"] for row in metrics} if analysis["status"] == "completed" else None,
        "metrics_info": {
            row["name"]: {key: row[key] for key in ("unit", "uncertainty", "reason") if row[key] is not None}
            for row in metrics
        }
        if analysis["status"] == "completed"
        else None,
    }


def is_final(analysis: Row) -> bool:
    """Whether the analysis will not change any more."""
    return analysis["status"] in ("completed", "failed")


def tag(analysis: Row, wanted: Format) -> str | None:
    """What the answer's ETag is made of, where it is known without the answer."""
    if analysis["status"] != "completed":
        return None
    return f"{analysis['result_etag']}-{wanted}-{VERSION}"


def document(user: User, analysis: Row, metrics: list[Row], wanted: Format) -> Spliced:
    """The whole envelope as JSON. The result is not parsed for that: it may have tens of megabytes.

    Raises:
        AnalysisNotFound: it has been deleted meanwhile.
    """
    head = json.dumps(summary(analysis, metrics), separators=(",", ":")).encode()[:-1] + b',"result":'
    if analysis["status"] != "completed":
        return Spliced(head + b"null}")
    return Spliced(head, _packed_result(user, analysis["id"], wanted), b"}")


def _packed_result(user: User, job_id: UUID, wanted: Format) -> bytes:
    """The result as gzipped JSON."""
    if wanted == "verbose":
        return storage.get(result_prefix(user.id, job_id) + "verbose.json.gz")
    with transaction() as tx:
        stored = repository.compact_result(tx, user.id, job_id)
    if stored is None:
        raise AnalysisNotFound
    return stored


def _time(moment: datetime | None) -> str | None:
    return iso8601(moment) if moment is not None else None
