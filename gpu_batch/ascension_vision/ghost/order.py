"""In which order hands and feet move: a foot that the climber moved right after a hand may be better moved before it.

A hand that reaches off a high foot pulls less. Only feet move earlier: holds and the order of the hands' moves stay.
What is proposed here is tried on the climber's own motion, which costs little; whether the Ghost does it is decided by
planning it anew (``finding``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ascension_vision.contacts.contact import LIMBS
from ascension_vision.ghost.beta import FEET, HANDS
from ascension_vision.ghost.timeline import Swing
from ascension_vision.ghost.trial import SOCKETS, Change, Scene, try_each

# A leg is not bent closer than to this share of its length.
_BENT = 0.45
# A change of the order rests on contacts that are surer than this.
_SURE = 0.5
# What it must seem to save, as a share of what the climber's moves cost on average.
_WORTH = 0.02
# The Ghost's foot moves while the climber gets ready for the hand's move, which takes so long at least, seconds.
_READY = 0.2


@dataclass(frozen=True)
class LateFoot:
    """A foot that could have moved before a hand.

    Attributes:
        hand, foot: their moves, one after the other.
        at: seconds of the video when the climber's hand leaves.
        change: the foot stands on its next hold already while the hand moves.
    """

    hand: Swing
    foot: Swing
    at: float
    change: Change


def late_feet(scene: Scene) -> Iterator[LateFoot]:
    """The feet that move right after a hand and could reach their next hold before it."""
    climbed, lengths = scene.climbed, scene.model.lengths
    for hand, foot in pairwise(scene.timeline.swings):
        if hand.limb not in HANDS or foot.limb not in FEET or foot.origin is None:
            continue
        start, end = (float(scene.timeline.climber_t[frame]) for frame in (hand.lift, hand.land))
        during = (climbed.t >= start) & (climbed.t <= end)
        if during.sum() < 3:
            continue
        apart = np.linalg.norm(climbed.landmarks[during, SOCKETS[foot.limb]] - foot.target.point, axis=1)
        leg = lengths.thigh + lengths.shank
        if apart.min() >= _BENT * leg and apart.max() <= leg:
            change = Change(during, np.zeros_like(climbed.gravity_centre), {foot.limb: foot.target.point})
            yield LateFoot(hand, foot, start, change)


def better_earlier(scene: Scene) -> list[LateFoot]:
    """Those whose earlier move seems to save effort, the most first: tried on the climber's own motion, they are in
    balance and within reach, in no jump, and all that is held meanwhile was surely seen."""
    sure = [late for late in late_feet(scene) if _waits(scene, late) and not _jumps(scene, late) and _seen(scene, late)]
    least = _WORTH * scene.climbed.effort.cost / max(len(scene.timeline.swings), 1)
    found = [
        (tried.saved, index)
        for index, tried in enumerate(try_each(scene, [late.change for late in sure]))
        if tried.possible and tried.saved >= least
    ]
    return [sure[index] for _, index in sorted(found, reverse=True)]


def _waits(scene: Scene, late: LateFoot) -> bool:
    """Whether the climber waits between the arrival before and the hand's move."""
    before = max((swing.land for swing in scene.timeline.swings if swing.land <= late.hand.lift), default=0)
    return late.at - float(scene.timeline.climber_t[before]) >= _READY


def _jumps(scene: Scene, late: LateFoot) -> bool:
    """Whether both are on their way at once, or nothing is held at some moment."""
    on = scene.timeline.on[late.hand.lift : late.foot.land + 1]
    return late.foot.lift < late.hand.land or not on.any(axis=1).all()


def _seen(scene: Scene, late: LateFoot) -> bool:
    """Whether the foot's next place is a hold, and all that is held from before the hand's move until after the foot's
    is surer than not. A limb of the Ghost may stay where it is until its next move."""
    end = float(scene.timeline.climber_t[late.foot.land])
    held = [
        stay
        for of_limb in scene.beta.stays
        for stay, following in pairwise([*of_limb, None])
        if stay is not None and stay.start <= end and (following is None or following.start >= late.at)
    ]
    return late.foot.target.hold_id is not None and all(stay.confidence >= _SURE for stay in held)


def told(earlier: Sequence[LateFoot], saved: float) -> list[dict[str, Any]]:
    """``foot_order`` of the certificate. ``saved``: share of the Ghost's cost that they save together."""
    return [
        {
            "limb": LIMBS[late.foot.limb], "hold_id": late.foot.target.hold_id, "before": LIMBS[late.hand.limb],
            "at": round(late.at, 2), "saved": round(saved, 4),
        }
        for late in sorted(earlier, key=lambda late: late.at)
    ]  # fmt: skip
