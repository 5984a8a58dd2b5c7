"""How far a wall overhangs, by how the body that hangs on it leans.

Hands and feet that rest are on the wall, so the way from one to the other lies in it. The pose network tells that way
in metres with the camera's axes, depth included, and takes most bodies for more upright than they are: how its lean
goes with the wall's was measured on twenty rendered climbs (docs/wall-and-contacts.md).
"""

import numpy as np
import numpy.typing as npt

from ascension_vision.body.posture import phases
from ascension_vision.camera.track import CameraTrack
from ascension_vision.contacts.tips import limb_tips
from ascension_vision.pose.following import Poses

Array = npt.NDArray[np.float64]

# What is added to a share of the body's lean to get the wall's, degrees; what is left is the standard error.
_SHARE, _MORE_DEG = 0.75, 9.0
ERROR_DEG = 8.0
_LEAST_DEG, _MOST_DEG = -15.0, 60.0
# Torso lengths a second, and the chance that a place is right, of a limb that rests.
_RESTS, _SEEN = 0.3, 0.5
# A way says something if it is so long, metres, and so steep in the picture.
_LONG_M, _STEEP = 0.5, 0.7
_MIN_FRAMES = 8


def lean_deg(poses: Poses, track: CameraTrack) -> float | None:
    """Degrees from the vertical to the nearest one, overhangs positive; None where hands and feet hardly rest."""
    tips = limb_tips(poses, track)
    if tips is None:
        return None
    before, climbing, _ = phases(poses.t, poses.points)
    during = (tips.frames >= before) & (tips.frames < before + climbing)
    rests = (tips.speed < _RESTS) & (tips.seen > _SEEN) & during[:, None]
    ends = _ends(poses.world[tips.frames])
    ways = ends[:, None, 2:] - ends[:, :2, None]  # (n, hand, foot, 3)
    x, y, depth = np.moveaxis(ways, -1, 0)
    telling = rests[:, :2, None] & rests[:, None, 2:] & (np.hypot(x, y) > _LONG_M) & (y > _STEEP * np.abs(x))
    if telling.any(axis=(1, 2)).sum() < _MIN_FRAMES:
        return None
    lean = np.degrees(np.arctan2(depth, y))
    # A long rest says no more than a short one: feet may hang freely in it.
    each = [
        np.median(lean[run, hand, foot]) for hand in (0, 1) for foot in (0, 1) for run in _runs(telling[:, hand, foot])
    ]
    return float(np.clip(round(_MORE_DEG + _SHARE * float(np.median(each))), _LEAST_DEG, _MOST_DEG))


def _runs(true: npt.NDArray[np.bool_]) -> list[slice]:
    """Where it is true without a break."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], true, [False]]))).reshape(-1, 2)
    return [slice(start, stop) for start, stop in edges.tolist()]


def _ends(world: Array) -> Array:
    """``(n, 4, 3)`` metres: knuckles and toes."""
    knuckles = (world[:, [17, 18]] + world[:, [19, 20]]) / 2
    return np.concatenate([knuckles, world[:, [31, 32]]], axis=1)
