"""What a user sets right about the holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ascension_vision.holds.hold import TYPES, UNKNOWN, Array, Hold, Kind
from ascension_vision.problems import Problem

Box = tuple[float, float, float, float]

_CORNERS = 24


@dataclass(frozen=True)
class Corrected:
    """The holds after a correction, and the id that the next new hold gets."""

    holds: list[Hold]
    next_id: int


def correct(
    holds: Sequence[Hold], changes: Sequence[Mapping[str, Any]], next_id: int, width: int, height: int
) -> Corrected:
    """Carry out changes in their order, all or none.

    Args:
        changes: ``{"action": "add", "box", "kind"?, "type"?}``, ``{"action": "move", "hold_id", "box"}``,
            ``{"action": "retype", "hold_id", "type", "kind"?}`` or ``{"action": "delete", "hold_id"}``; boxes from 0 to
            1 of the reference frame.
        width, height: of the reference frame, pixels.

    Raises:
        Problem: ``invalid-correction``, a change that cannot be carried out; says which.
    """
    known = {hold.id: hold for hold in holds}
    for number, change in enumerate(changes, start=1):
        action = change.get("action")
        if action == "add":
            known[next_id] = _added(next_id, change, number, width, height)
            next_id += 1
            continue
        hold = known.get(change.get("hold_id", -1))
        if hold is None:
            raise _invalid(number, f"there is no hold {change.get('hold_id')}")
        if action == "delete":
            del known[hold.id]
        elif action == "move":
            box = _box(change, number, width, height)
            known[hold.id] = replace(hold, box=box, outline=_moved(hold, box), confidence=1.0, by="user")
        elif action == "retype":
            kind, name = _type(change, number, hold.kind)
            sure = None if name == UNKNOWN else 1.0
            known[hold.id] = replace(hold, kind=kind, type=name, type_confidence=sure, confidence=1.0, by="user")
        else:
            raise _invalid(number, f"there is no action {action!r}")
    return Corrected(list(known.values()), next_id)


def ellipse(box: Box) -> Array:
    """``(n, 2)`` the ellipse within a box: the outline of a hold of which only the box is known."""
    x0, y0, x1, y1 = box
    angle = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    middle, radius = np.array([(x0 + x1) / 2, (y0 + y1) / 2]), np.array([(x1 - x0) / 2, (y1 - y0) / 2])
    return np.asarray(middle + radius * np.column_stack([np.cos(angle), np.sin(angle)]))


def _added(hold_id: int, change: Mapping[str, Any], number: int, width: int, height: int) -> Hold:
    box = _box(change, number, width, height)
    kind, name = _type(change, number, "hold")
    sure = None if name == UNKNOWN else 1.0
    return Hold(hold_id, kind, name, sure, 1.0, box, ellipse(box), by="user")


def _box(change: Mapping[str, Any], number: int, width: int, height: int) -> Box:
    box = change.get("box")
    if not isinstance(box, list | tuple) or len(box) != 4 or not np.all(np.isfinite(box)):
        raise _invalid(number, "a box is four numbers: left, top, right, bottom")
    x0, y0, x1, y1 = (float(side) for side in box)
    if not (x0 < x1 and y0 < y1):
        raise _invalid(number, "a box has its left before its right and its top above its bottom")
    return x0 * width, y0 * height, x1 * width, y1 * height


def _type(change: Mapping[str, Any], number: int, kind: Kind) -> tuple[Kind, str]:
    name = change.get("type", UNKNOWN)
    if name not in (*TYPES, UNKNOWN):
        raise _invalid(number, f"there is no type {name!r}")
    told = change.get("kind")
    if told not in (None, "hold", "volume"):
        raise _invalid(number, f"there is no kind {told!r}")
    if name == UNKNOWN:
        return told or kind, UNKNOWN
    implied: Kind = "volume" if name == "volume" else "hold"
    if told not in (None, implied):
        raise _invalid(number, f"a {told} cannot be of type {name}")
    return implied, name


def _moved(hold: Hold, box: Box) -> Array:
    """The outline, moved and stretched with its box."""
    old = np.array(hold.box).reshape(2, 2)
    new = np.array(box).reshape(2, 2)
    stretch = (new[1] - new[0]) / np.maximum(old[1] - old[0], 1e-6)
    return np.asarray(new[0] + (hold.outline - old[0]) * stretch)


def _invalid(number: int, why: str) -> Problem:
    return Problem(
        "invalid-correction", "The correction cannot be carried out", f"Change {number}: {why}. Nothing was changed."
    )
