"""What a user sets right about the holds of an analysis; everything that hangs on holds is computed anew.

A correction runs as an analysis does (``ascension.analyses.lifecycle``), under its own name and into a folder of its
own, so that nothing of one that came late can mix with another. It costs no quota, and one is made at a time.
"""

import logging
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from ascension.accounts.user import User
from ascension.analyses import lifecycle
from ascension.analyses.problems import (
    AnalysisNotCompleted,
    AnalysisNotFound,
    CorrectionRunning,
    InvalidCorrection,
)
from ascension.database import one, transaction

log = logging.getLogger(__name__)

MOST_CHANGES = 100


@dataclass(frozen=True)
class Correction:
    """A correction as its author sees it; ``revision`` is the one that the analysis has when it has succeeded."""

    job_id: UUID
    revision: int
    status: str = "processing"


def correct(user: User, job_id: UUID, changes: list[dict[str, Any]]) -> Correction:
    """Have changes of the holds carried out, all or none.

    Args:
        changes: ``{"action": "add", "box", "kind"?, "type"?}``, ``{"action": "move", "hold_id", "box"}``,
            ``{"action": "retype", "hold_id", "type", "kind"?}`` or ``{"action": "delete", "hold_id"}``. Whether there
            are such holds the worker sees: they are in the result.

    Raises:
        AnalysisNotFound, AnalysisNotCompleted, CorrectionRunning, InvalidCorrection
    """
    with transaction() as tx:
        analysis = one(
            tx,
            "SELECT status, correction_id, revision FROM analyses WHERE id = %s AND user_id = %s FOR UPDATE",
            job_id,
            user.id,
        )
        if analysis is None:
            raise AnalysisNotFound
        if analysis["correction_id"] is not None:
            raise CorrectionRunning
        if analysis["status"] != "completed":
            raise AnalysisNotCompleted
        for number, change in enumerate(changes, start=1):
            _check(number, change)
        correction_id, revision = uuid4(), analysis["revision"] + 1
        tx.execute(
            "INSERT INTO corrections (id, analysis_id, changes, folder) VALUES (%s, %s, %s, %s)",
            (correction_id, job_id, Jsonb(changes), f"r{revision}-{correction_id.hex[:8]}/"),
        )
        tx.execute(
            "UPDATE analyses SET status = 'pending', correction_id = %s, stage = 'waiting', fraction = 0, "
            "error = NULL, dispatched_at = NULL, heartbeat_at = NULL WHERE id = %s",
            (correction_id, job_id),
        )
    try:
        lifecycle.dispatch(job_id)
    except Exception:
        # The correction is in the database: the janitor will dispatch it within a minute.
        log.exception("could not start an execution", extra={"job_id": str(job_id)})
    return Correction(job_id, revision)


def _check(number: int, change: dict[str, Any]) -> None:
    """What can be seen without the holds. Raises ``InvalidCorrection``."""
    if (box := change.get("box")) is not None:
        left, top, right, bottom = box
        if not (left < right and top < bottom):
            raise InvalidCorrection.of(number, "a box has its left before its right and its top above its bottom")
    kind, name = change.get("kind"), change.get("type")
    if kind is not None and name not in (None, "unknown") and (kind == "volume") != (name == "volume"):
        raise InvalidCorrection.of(number, f"a {kind} cannot be of type {name}")
