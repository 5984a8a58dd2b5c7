"""Feet that stand where no hold is known."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from ascension_vision.body.model import tips
from ascension_vision.body.motion import BodyMotion
from ascension_vision.body.posture import runs
from ascension_vision.contacts.contact import LIMBS, Contact
from ascension_vision.ghost.beta import FEET
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]

# A limb is at rest where it stays slower than this, nearer to the wall than this, for so long: m/s, metres, seconds.
_SLOW, _NEAR, _SHORTEST = 0.45, 0.12, 0.5
# Speeds are taken over this time, seconds.
_OVER = 0.4
_CONFIDENCE = 0.4


def with_standing_feet(contacts: Sequence[Contact], motion: BodyMotion, wall: Wall) -> list[Contact]:
    """The contacts, and one on no hold for each time in which a foot of the fitted body stands still at the wall.

    Feet on volumes and on the wall itself are found less surely than hands on holds, and without them nothing holds the
    body. Only for times without a contact of that foot.
    """
    places = tips(torch.as_tensor(motion.landmarks)).numpy()
    found = list(contacts)
    for limb in FEET:
        for during in at_rest(limb, contacts, motion, places):
            start, end = motion.t[during][[0, -1]].tolist()
            x, y = wall.project(np.median(places[during, limb], axis=0)).tolist()
            found.append(Contact(LIMBS[limb], None, start, end, _CONFIDENCE, (x, y)))
    return found


def at_rest(limb: int, contacts: Sequence[Contact], motion: BodyMotion, places: Array) -> list[slice]:
    """Frames of the motion in which a limb stays still at the wall without a contact of its own.

    Args:
        places: ``(n, 4, 3)`` wall metres, of the limbs' tips.
    """
    still = (_speed(motion.t, places[:, limb]) < _SLOW) & (places[:, limb, 2] < _NEAR)
    for contact in contacts:
        if contact.limb == LIMBS[limb]:
            still &= (motion.t < contact.start - _OVER / 2) | (motion.t > contact.end + _OVER / 2)
    return [during for during in runs(still) if motion.t[during][-1] - motion.t[during][0] >= _SHORTEST]


def _speed(t: Array, places: Array) -> Array:
    """``(n,)`` metres a second, over ``_OVER`` seconds around each moment."""
    before, after = np.clip(t - _OVER / 2, t[0], t[-1]), np.clip(t + _OVER / 2, t[0], t[-1])
    moved = np.stack([np.interp(after, t, axis) - np.interp(before, t, axis) for axis in places.T], axis=1)
    return np.asarray(np.linalg.norm(moved, axis=1) / np.maximum(after - before, 1e-6))
