"""How far each landmark can be trusted: the ``visibility`` that results carry.

The network's own visibility says whether it believes to see a landmark, not whether the landmark is right. Here it is
turned into the chance that the landmark lies within 0.2 torso lengths of the truth, by a logistic function of what is
known about it. ``python -m bench visibility`` fits the function on rendered climbs and says how well it does on those
left out.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from ascension_vision.body.skeleton import HIPS, SHOULDERS
from ascension_vision.pose.following import Poses

Array = npt.NDArray[np.float64]

# For the features below, in their order.
COEFFICIENTS = np.array([-1.539, 0.151, 4.953, -1.058])

_FAR = 0.5


def features(raw: Poses, cleaned: Poses) -> Array:
    """``(frames, 33, 4)``: one, log odds of visibility, peak of the heat map, distance in torso lengths at most 0.5."""
    odds = np.clip(raw.visibility, 0.01, 0.99)
    torso = np.nanmedian(np.linalg.norm(_middle(raw.points, SHOULDERS) - _middle(raw.points, HIPS), axis=1))
    moved = np.linalg.norm(cleaned.points[..., :2] - raw.points[..., :2], axis=2) / torso
    peak = np.full_like(odds, 0.5) if raw.peak is None else raw.peak
    return np.stack([np.ones_like(odds), np.log(odds / (1 - odds)), peak, np.minimum(moved, _FAR)], axis=-1)


def trust(raw: Poses, cleaned: Poses) -> Array:
    """``(frames, 33)`` 0 … 1: the chance that a landmark is within 0.2 torso lengths of the truth; NaN where unseen."""
    chance: Array = 1 / (1 + np.exp(-features(raw, cleaned) @ COEFFICIENTS))
    return chance


def _middle(points: npt.NDArray[Any], pair: tuple[int, int]) -> Array:
    middle: Array = points[:, pair, :2].mean(axis=1)
    return middle
