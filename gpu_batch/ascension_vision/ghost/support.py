"""Feet that stand where no hold is known."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
import torch

from ascension_vision.body.forces import GRAVITY, accelerations
from ascension_vision.body.model import tips
from ascension_vision.body.motion import BodyMotion
from ascension_vision.body.posture import runs
from ascension_vision.contacts.contact import LIMBS, Contact
from ascension_vision.ghost.beta import FEET
from ascension_vision.holds.hold import Hold
from ascension_vision.metrics.loads import Case, hold_types, many_loads
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]

# A limb is at rest where it stays slower than this, nearer to the wall than this, for so long: m/s, metres, seconds.
_SLOW, _NEAR, _SHORTEST = 0.45, 0.12, 0.5
# Speeds are taken over this time, seconds.
_OVER = 0.4
_CONFIDENCE = 0.4
# A foot without which the body would fall for much of the time: slower than this as the camera sees it, whose depth is
# worst, no farther from the wall than volumes are thick, for so long; speeds over this time. m/s, metres, seconds.
_SEEN_SLOW, _ON_VOLUMES, _PUSH, _SEEN_OVER = 0.6, 0.4, 0.2, 0.2
# It stands on a hold this near, metres, that is no thicker than this share of its smaller extent along the wall.
_BESIDE, _THICK = 0.12, 0.75
# In the air a climber's centre of gravity falls at more than this share of gravity, as blurred as it is seen.
FALLING = 0.35
_MUCH, _NEEDED_CONFIDENCE = 0.4, 0.3


def with_standing_feet(contacts: Sequence[Contact], motion: BodyMotion, wall: Wall) -> list[Contact]:
    """The contacts, and one on no hold for each time in which a foot of the fitted body stands still at the wall.

    Feet on volumes and on the wall itself are found less surely than hands on holds, and without them nothing holds the
    body. Only for times without a contact of that foot.
    """
    places = tips(torch.as_tensor(motion.landmarks)).numpy()
    found = list(contacts)
    for limb in FEET:
        for during in at_rest(limb, contacts, motion, places):
            found.append(_stand(limb, during, _CONFIDENCE, motion, places, wall))
    return found


def with_needed_feet(
    contacts: Sequence[Contact], motion: BodyMotion, wall: Wall, holds: Sequence[Hold]
) -> list[Contact]:
    """``with_standing_feet``, and one more for each time in which a foot seems to stay where it is while the others
    cannot hold the body: it stands on something that nobody knows, or pushes off a volume for a moment. Whoever stands
    off the wall for a moment only does so on a hold that is large enough to stick out so far.
    """
    found = with_standing_feet(contacts, motion, wall)
    places = tips(torch.as_tensor(motion.landmarks)).numpy()
    maybe = [
        (limb, during, hold)
        for limb in FEET
        for during in _still_as_seen(limb, found, motion, places, wall)
        for hold in _below(places[during, limb], motion.t[during], holds, wall)
    ]
    if not maybe:
        return found
    some = np.zeros(len(motion.t), np.bool_)
    for _, during, _ in maybe:
        some[during] = True
    gravity = motion.gravity_centre
    body = Case(motion.t, places, gravity, accelerations(motion.t, gravity), found, hold_types(holds), wall.up)
    unheld = np.zeros(len(motion.t))
    unheld[some] = ~many_loads([body.at(some)])[0].held
    rising = body.acceleration @ wall.up
    for limb, during, hold in maybe:
        # whoever jumps stands on nothing in the air
        if unheld[during].mean() >= _MUCH and rising[during].min() > -FALLING * GRAVITY:
            found.append(_stand(limb, during, _NEEDED_CONFIDENCE, motion, places, wall, hold))
    return found


def _stand(
    limb: int, during: slice, confidence: float, motion: BodyMotion, places: Array, wall: Wall, hold: int | None = None
) -> Contact:
    """A contact where the limb's tip is in those frames."""
    start, end = motion.t[during][[0, -1]].tolist()
    x, y = wall.project(np.median(places[during, limb], axis=0)).tolist()
    return Contact(LIMBS[limb], hold, start, end, confidence, (x, y))


def _below(places: Array, t: Array, holds: Sequence[Hold], wall: Wall) -> list[int | None]:
    """The id of what a foot at ``(n, 3)`` metres stands on, None where it is not known; nothing where it is in the
    air."""
    place = np.median(places, axis=0)
    x, y, _ = wall.on_surface(wall.project(place))
    if place[2] < _NEAR or t[-1] - t[0] >= _SHORTEST:
        return [None]
    beside, below = _BESIDE, list[int | None]()
    for hold in holds:
        outline = wall.on_surface(hold.outline)[:, :2].astype(np.float32)
        away = -cv2.pointPolygonTest(outline, (float(x), float(y)), True)
        if away < beside and place[2] - _NEAR < _THICK * np.ptp(outline, axis=0).min():
            beside, below = away, [hold.id]
    return below


def _still_as_seen(
    limb: int, contacts: Sequence[Contact], motion: BodyMotion, places: Array, wall: Wall
) -> list[slice]:
    """Frames in which a limb without a contact stays about where it is in the picture, not far from the wall."""
    seen = wall.on_surface(wall.project(places[:, limb]))
    still = (_speed(motion.t, seen, _SEEN_OVER) < _SEEN_SLOW) & (places[:, limb, 2] < _ON_VOLUMES)
    return _free(limb, contacts, motion.t, still, _SEEN_OVER, _PUSH)


def at_rest(limb: int, contacts: Sequence[Contact], motion: BodyMotion, places: Array) -> list[slice]:
    """Frames of the motion in which a limb stays still at the wall without a contact of its own.

    Args:
        places: ``(n, 4, 3)`` wall metres, of the limbs' tips.
    """
    still = (_speed(motion.t, places[:, limb]) < _SLOW) & (places[:, limb, 2] < _NEAR)
    return _free(limb, contacts, motion.t, still, _OVER, _SHORTEST)


def _free(
    limb: int, contacts: Sequence[Contact], t: Array, still: npt.NDArray[np.bool_], over: float, shortest: float
) -> list[slice]:
    """Where it is still for at least so long, without a contact of its own."""
    for contact in contacts:
        if contact.limb == LIMBS[limb]:
            still = still & ((t < contact.start - over / 2) | (t > contact.end + over / 2))
    return [during for during in runs(still) if t[during][-1] - t[during][0] >= shortest]


def _speed(t: Array, places: Array, over: float = _OVER) -> Array:
    """``(n,)`` metres a second, over so many seconds around each moment."""
    before, after = np.clip(t - over / 2, t[0], t[-1]), np.clip(t + over / 2, t[0], t[-1])
    moved = np.stack([np.interp(after, t, axis) - np.interp(before, t, axis) for axis in places.T], axis=1)
    return np.asarray(np.linalg.norm(moved, axis=1) / np.maximum(after - before, 1e-6))
