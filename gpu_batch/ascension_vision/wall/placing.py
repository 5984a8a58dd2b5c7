"""Holds in metres on the wall."""

from dataclasses import replace

import numpy as np

from ascension_vision.holds.hold import Hold
from ascension_vision.wall.wall import Wall

# The middle of a hold's outline is seen about so far off the wall, and its own place is known about so well.
_OFF_WALL_M, _OFF_WALL_ERROR_M = 0.02, 0.01
_OUTLINE_ERROR_M = 0.006


def place_holds(holds: list[Hold], wall: Wall | None) -> list[Hold]:
    """The holds with ``wall_m`` and ``wall_error_cm``; both None without a wall."""
    if wall is None:
        return [replace(hold, wall_m=None, wall_error_cm=None) for hold in holds]
    if not holds:
        return []
    centres = np.array([hold.center for hold in holds])
    places = wall.on_surface(centres, _OFF_WALL_M)
    # Seen from the side, what stands off the wall is seen elsewhere.
    aside = np.linalg.norm(wall.on_surface(centres, _OFF_WALL_M + _OFF_WALL_ERROR_M) - places, axis=1)
    errors = wall.error_cm(centres, _OFF_WALL_M, own_m=float(np.hypot(_OUTLINE_ERROR_M, np.median(aside))))
    return [
        replace(hold, wall_m=(float(x), float(y), 0.0), wall_error_cm=float(error))
        for hold, (x, y, _), error in zip(holds, places, errors, strict=True)
    ]
