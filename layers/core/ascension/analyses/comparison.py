"""Two analyses of one user side by side, as far as their metrics go."""

import math
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ascension.accounts.user import User
from ascension.analyses import service
from ascension.analyses.problems import AnalysisNotCompleted
from ascension.database import Row

_COMPARED = ("value", "unit", "uncertainty")


@dataclass(frozen=True)
class Comparison:
    """``same_wall``: True where both are of one video; else None, for nothing stored tells one wall from another."""

    analyses: tuple[UUID, UUID]
    same_wall: bool | None
    metrics: dict[str, dict[str, Any]]


def compare(user: User, first: UUID, second: UUID) -> Comparison:
    """Put the metrics of two completed analyses side by side.

    Raises:
        AnalysisNotFound, AnalysisNotCompleted
    """
    found = [service.find(user, job_id) for job_id in (first, second)]
    if any(analysis["status"] != "completed" for analysis, _ in found):
        raise AnalysisNotCompleted
    (one, of_one), (other, of_other) = found
    before, after = ({row["name"]: row for row in metrics} for metrics in (of_one, of_other))
    names = sorted(before.keys() | after.keys())
    metrics = {name: _difference(before.get(name), after.get(name)) for name in names}
    return Comparison((first, second), True if one["video_id"] == other["video_id"] else None, metrics)


def _difference(before: Row | None, after: Row | None) -> dict[str, Any]:
    """``change`` is after − before, ``uncertainty`` that of the change: the half width of its 90 % interval.

    The two measurements err independently, so their uncertainties add up as squares. A change is meaningful where it is
    larger than that.
    """
    values, units, errors = ([row[key] if row else None for row in (before, after)] for key in _COMPARED)
    known = [unit for unit in units if unit is not None]
    change: float | None = None
    uncertainty: float | None = None
    first, second = values
    if first is not None and second is not None and len(set(known)) <= 1:
        change = second - first
        half_widths = [error for error in errors if error is not None]
        uncertainty = math.hypot(*half_widths) if len(half_widths) == 2 else None
    return {
        "unit": known[0] if known else None,
        "values": values,
        "change": change,
        "uncertainty": uncertainty,
        "meaningful": None if change is None or uncertainty is None else abs(change) > uncertainty,
    }
