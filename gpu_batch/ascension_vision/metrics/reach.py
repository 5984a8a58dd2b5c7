"""How far a climber reaches."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from ascension_vision.contacts.contact import Limb


class PlacedTouch(Protocol):
    """A limb on a hold for some time, at a place: ``point`` in wall metres."""

    @property
    def limb(self) -> Limb: ...
    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...
    @property
    def point(self) -> tuple[float, float, float]: ...


def longest_reach(
    touches: Sequence[PlacedTouch], after: float = -np.inf, about: float = 0.0
) -> tuple[float, float] | None:
    """The longest way along the wall, metres, from a hand that arrives to the farthest foot that is on (else the other
    hand), and when; None where no hand arrives later than ``after`` while anything else is on. Where times are only
    known to within ``about`` seconds, a foot that left so shortly before was on."""
    best: tuple[float, float] | None = None
    for touch in touches:
        if not touch.limb.endswith("hand") or touch.start <= after:
            continue
        held = [
            other
            for other in touches
            if other.limb != touch.limb
            and other.start <= touch.start <= other.end + (about if other.limb.endswith("foot") else 0.0)
        ]
        feet = [other for other in held if other.limb.endswith("foot")]
        for other in feet or held:
            apart = float(np.hypot(touch.point[0] - other.point[0], touch.point[1] - other.point[1]))
            if best is None or apart > best[0]:
                best = apart, touch.start
    return best
