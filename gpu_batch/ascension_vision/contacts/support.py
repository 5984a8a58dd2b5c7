"""What holds a body that is not seen to be held.

Fingers and toes are often hidden by the body itself. A limb that is hidden is given no contact, unless the body would
fall without one: then whichever hidden limb can help is taken to, with little confidence.
"""

import numpy as np
import numpy.typing as npt

from ascension_vision.body.gravity import centre_of_gravity
from ascension_vision.contacts.nearness import FAR
from ascension_vision.contacts.stay import Stay
from ascension_vision.contacts.tips import HIDDEN, Tips

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

# Seconds of falling that nobody survives on a wall; jumps are over sooner, and there the limbs are seen.
_SHORTEST = 0.5
# Torso lengths: within reach of a hidden limb's guessed place; how far beside a foot the body can balance on it.
_WITHIN, _BALANCE = 0.5, 0.35


def demanded(tips: Tips, distances: Array, stays: list[Stay]) -> list[Stay]:
    """Contacts of hidden limbs without which the body would fall. ``distances``: see ``nearness.distances``."""
    touching = np.zeros((len(tips.t), 4), np.bool_)
    for stay in stays:
        touching[stay.start : stay.stop, stay.limb] = True
    hidden = (tips.seen < HIDDEN) & ~touching
    found: list[Stay] = []
    for run in tips.runs():
        falling = ~_held(tips, touching)[run]
        edges = np.flatnonzero(np.diff(np.concatenate([[False], falling, [False]])))
        for start, stop in edges.reshape(-1, 2) + run.start:
            if tips.t[stop - 1] - tips.t[start] >= _SHORTEST:
                found += _helper(hidden, distances, int(start), int(stop))
    return found


def _held(tips: Tips, touching: Mask) -> Mask:
    """``(frames,)``: by a hand, by both feet, or balanced over one."""
    aside = np.abs(tips.place[:, 2:, 0] - centre_of_gravity(tips.body)[:, None, 0]) / tips.torso
    over = touching[:, 2:] & (aside < _BALANCE)
    return np.asarray(touching[:, :2].any(axis=1) | touching[:, 2:].all(axis=1) | over.any(axis=1), np.bool_)


def _helper(hidden: Mask, distances: Array, start: int, stop: int) -> list[Stay]:
    """The hidden limb, hands before feet, that is nearest to a hold; on no hold where none is near."""
    limbs = [limb for limb in range(4) if hidden[start:stop, limb].mean() > 0.7]
    hands = [limb for limb in limbs if limb < 2] or limbs
    if not hands:
        return []
    near = distances[start:stop].mean(axis=0) if distances.shape[2] else np.full((4, 1), FAR)
    limb = min(hands, key=lambda limb: float(near[limb].min()))
    hold = int(near[limb].argmin()) if near[limb].min() < _WITHIN else -1
    return [Stay(limb, hold, start, stop, demanded=True)]
