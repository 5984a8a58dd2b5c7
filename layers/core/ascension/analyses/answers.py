"""An analysis as the API shows it: one envelope whatever its state, the result spliced in as it was stored."""

import hashlib
import json
from datetime import datetime
from typing import Any, Literal

from ascension import VERSION
from ascension.analyses import repository
from ascension.analyses.lifecycle import result_prefix
from ascension.analyses.problems import AnalysisChanging
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
        "revision": analysis["revision"],
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


def tag(analysis: Row, wanted: Format) -> str | None:
    """What the answer's ETag is made of, where it is known without the answer."""
    if analysis["status"] != "completed":
        return None
    # A correction that failed leaves the result as it was, but the answer tells of it.
    told = f"-{hashlib.sha256(json.dumps(analysis['error']).encode()).hexdigest()[:8]}" if analysis["error"] else ""
    return f"{analysis['result_etag']}-r{analysis['revision']}{told}-{wanted}-{VERSION}"


def document(analysis: Row, metrics: list[Row], wanted: Format) -> Spliced:
    """The whole envelope as JSON. The result is not parsed for that: it may have tens of megabytes.

    Raises:
        AnalysisChanging: it has been deleted or corrected meanwhile.
    """
    return enveloped(summary(analysis, metrics), analysis, wanted)


def enveloped(head: dict[str, Any], analysis: Row, wanted: Format) -> Spliced:
    """The analysis's result, if it has one, as the last member of ``head``. See ``document``."""
    start = json.dumps(head, separators=(",", ":")).encode()[:-1] + b',"result":'
    if analysis["status"] != "completed":
        return Spliced(start + b"null}")
    return Spliced(start, _packed_result(analysis, wanted), b"}")


def _packed_result(analysis: Row, wanted: Format) -> bytes:
    """The result as gzipped JSON."""
    if wanted == "verbose":
        folder = result_prefix(analysis["user_id"], analysis["id"], analysis["result_folder"])
        return storage.get(folder + "verbose.json.gz")
    with transaction() as tx:
        stored = repository.compact_result(tx, analysis["user_id"], analysis["id"], analysis["revision"])
    if stored is None:
        raise AnalysisChanging
    return stored


def _time(moment: datetime | None) -> str | None:
    return iso8601(moment) if moment is not None else None
