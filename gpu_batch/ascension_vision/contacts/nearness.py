"""How far each limb is from each hold."""

import cv2
import numpy as np
import numpy.typing as npt

from ascension_vision.contacts.tips import Tips
from ascension_vision.holds.hold import Hold

Array = npt.NDArray[np.float64]

FAR = 1.0
# What is held with the heel is this much farther off than what is stood on with the toes.
_HOOKING = 0.1


def distances(tips: Tips, holds: list[Hold]) -> Array:
    """``(frames, 4, holds)`` torso lengths from each limb's end to each outline, 0 within it; at most ``FAR``. Where a
    foot's heel is nearer, it may hook the hold."""
    result = np.full((len(tips.t), 4, len(holds)), FAR)
    heels, hooking = tips.heels, tips.hooking
    for h, hold in enumerate(holds):
        outline = hold.outline.astype(np.float32)
        result[..., h] = _distance(tips, outline, tips.place)
        held = np.where(hooking, _distance(tips, outline, heels) + _HOOKING, FAR)
        result[:, 2:, h] = np.minimum(result[:, 2:, h], held)
    return result


def _distance(tips: Tips, outline: npt.NDArray[np.float32], places: Array) -> Array:
    """``(frames, n)`` torso lengths from ``(frames, n, 2)`` places."""
    result = np.full(places.shape[:2], FAR)
    low, high = outline.min(axis=0) - FAR * tips.torso, outline.max(axis=0) + FAR * tips.torso
    near = ((places > low) & (places < high)).all(axis=2)
    for frame, n in np.argwhere(near):
        x, y = places[frame, n]
        outside = -cv2.pointPolygonTest(outline, (float(x), float(y)), True) / tips.torso
        result[frame, n] = min(max(0.0, outside), FAR)
    return result
