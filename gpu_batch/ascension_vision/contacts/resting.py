"""Where limbs rest and no hold is known."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from ascension_vision.contacts.tips import Tips
from ascension_vision.holds.hold import Hold

Array = npt.NDArray[np.float64]

# Torso lengths a second and the chance of being right: a limb at rest. Torso lengths between two rests at one place.
_STILL, _SEEN, _SAME_PLACE = 0.3, 0.5, 0.15


def resting_places(tips: Tips, holds: Sequence[Hold], shortest: float, beside: float) -> list[Array]:
    """``(2,)`` reference pixels each, of limbs that rest by themselves, the longest rests first.

    Args:
        shortest: seconds of a rest.
        beside: a limb that is nearer to a hold's outline, torso lengths, rests on that.
    """
    rests: list[tuple[float, Array]] = []
    for limb in range(4):
        for run in tips.runs():
            still = (tips.speed[run, limb] < _STILL) & (tips.seen[run, limb] > _SEEN)
            edges = np.flatnonzero(np.diff(np.concatenate([[False], still, [False]]))).reshape(-1, 2) + run.start
            rests += [
                (float(tips.t[stop - 1] - tips.t[start]), np.median(tips.place[start:stop, limb], axis=0))
                for start, stop in edges
                if tips.t[stop - 1] - tips.t[start] >= shortest
            ]
    places: list[Array] = []
    for _, place in sorted(rests, key=lambda rest: -rest[0]):
        taken = any(np.linalg.norm(place - other) < _SAME_PLACE * tips.torso for other in places)
        if not taken and not any(_away(place, hold.outline) <= beside * tips.torso for hold in holds):
            places.append(place)
    return places


def _away(place: Array, outline: Array) -> float:
    """Pixels, negative inside."""
    return -cv2.pointPolygonTest(outline.astype(np.float32), (float(place[0]), float(place[1])), True)
