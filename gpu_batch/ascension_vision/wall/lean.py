"""How far a wall overhangs, by how the body that hangs on it leans.

Hands and feet that rest are on the wall, so the way from one to the other lies in it. The pose network tells that way
in metres with the camera's axes, depth included, and takes most bodies for more upright than they are: how its lean
goes with the wall's was measured on twenty rendered climbs (docs/wall-and-contacts.md).
"""

import numpy as np
import torch

from ascension_vision.body.model import tips as body_tips
from ascension_vision.body.posture import phases, runs
from ascension_vision.camera.track import CameraTrack
from ascension_vision.contacts.tips import limb_tips
from ascension_vision.pose.following import Poses

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
    ends = body_tips(torch.as_tensor(poses.world[tips.frames])).numpy()
    ways = ends[:, None, 2:] - ends[:, :2, None]  # (n, hand, foot, 3)
    x, y, depth = np.moveaxis(ways, -1, 0)
    telling = rests[:, :2, None] & rests[:, None, 2:] & (np.hypot(x, y) > _LONG_M) & (y > _STEEP * np.abs(x))
    if telling.any(axis=(1, 2)).sum() < _MIN_FRAMES:
        return None
    lean = np.degrees(np.arctan2(depth, y))
    # A long rest says no more than a short one: feet may hang freely in it.
    each = [
        np.median(lean[run, hand, foot]) for hand in (0, 1) for foot in (0, 1) for run in runs(telling[:, hand, foot])
    ]
    return float(np.clip(round(_MORE_DEG + _SHARE * float(np.median(each))), _LEAST_DEG, _MOST_DEG))
