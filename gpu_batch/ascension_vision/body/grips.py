"""What each limb can take from what it touches: in which directions, and how much before it tires."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from ascension_vision.contacts.contact import LIMBS, Limb
from ascension_vision.holds.hold import UNKNOWN

Array = npt.NDArray[np.float64]


class Touch(Protocol):
    """A limb on a hold for some time: the climber's contacts and the Ghost's."""

    @property
    def limb(self) -> Limb: ...
    @property
    def hold_id(self) -> int | None: ...
    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...


@dataclass(frozen=True)
class Grip:
    """The force that a hold can give a limb lies in a cone about the direction in which the hold gives most.

    Attributes:
        lean: of that direction, from up along the wall; positive leans out of the wall, where a hold only pushes,
            negative into it, where a hold can be pulled at. Degrees.
        spread: half the cone's opening, degrees: friction, and how far the surface itself curves around.
        capacity: the largest force the limb can bear there, in body weights.
    """

    lean: float
    spread: float
    capacity: float


# Ours, not measured: no published table has directions and strengths by type of hold. Directions follow what the types
# mean: a jug's lip leans in, an edge is level, a sloper and a volume fall away. Chalked fingers and rubber alike hold
# on about 45 degrees of slope (friction about 1); the rest of a spread is the curvature of the surface, or fingers that
# close around it. Capacities keep the order of maximal forces in the literature: one hand of a good climber holds about
# half to two thirds of its body weight on a small edge, more on larger holds, and a leg pushes twice the body weight.
HANDS: Final = {
    "jug": Grip(-30, 75, 1.2),
    "edge": Grip(-10, 60, 0.7),
    "crimp": Grip(-10, 55, 0.55),
    "pocket": Grip(-20, 60, 0.6),
    "pinch": Grip(-10, 65, 0.5),
    "sloper": Grip(25, 55, 0.45),
    "volume": Grip(30, 60, 0.45),
    "foothold": Grip(-5, 50, 0.4),
    # Whoever holds on to something unknown shows that it can be held on to.
    UNKNOWN: Grip(-30, 75, 0.8),
}
FEET: Final = {
    "jug": Grip(15, 65, 2.0),
    "sloper": Grip(35, 60, 1.6),
    "volume": Grip(40, 60, 1.6),
    UNKNOWN: Grip(30, 65, 2.0),
}


@dataclass(frozen=True)
class Grips:
    """What each limb holds on to, frame by frame; limbs in the order of ``LIMBS``.

    Attributes:
        share: ``(n, 4)`` 0 … 1: 0 where a limb touches nothing, less than 1 where it does not carry its whole load yet.
        axis: ``(n, 4, 3)`` unit vectors in the wall frame: the middle of the cone of forces on the limb.
        slope: ``(n, 4)`` tangent of the cone's half opening.
        capacity: ``(n, 4)`` body weights.
    """

    share: Array
    axis: Array
    slope: Array
    capacity: Array


def grips(touches: Iterable[Touch], types: Mapping[int, str], t: Array, ease: float = 0.0) -> Grips:
    """What the limbs hold on to at ``t``.

    Args:
        touches: of all limbs, in any order.
        types: of holds by id; those that are missing count as unknown.
        t: ``(n,)`` in the touches' own seconds.
        ease: seconds over which a load comes and goes within a contact's time.
    """
    shape = (len(t), len(LIMBS))
    found = Grips(np.zeros(shape), np.zeros((*shape, 3)), np.zeros(shape), np.zeros(shape))
    for limb, name in enumerate(LIMBS):
        _set(found, slice(None), limb, grip(name, UNKNOWN))
    for touch in touches:
        on = (t >= touch.start) & (t <= touch.end)
        limb = LIMBS.index(touch.limb)
        kind = UNKNOWN if touch.hold_id is None else types.get(touch.hold_id, UNKNOWN)
        share = np.ones(int(on.sum()))
        if ease > 0:
            share = np.clip(np.minimum(t[on] - touch.start, touch.end - t[on]) / ease, 0.0, 1.0)
        found.share[on, limb] = np.maximum(found.share[on, limb], share)
        _set(found, on, limb, grip(touch.limb, kind))
    return found


def grip(limb: Limb, hold_type: str) -> Grip:
    """How a limb holds on to a hold of that type."""
    table = HANDS if limb.endswith("hand") else FEET
    return table.get(hold_type, table[UNKNOWN])


def _set(found: Grips, on: npt.NDArray[np.bool_] | slice, limb: int, chosen: Grip) -> None:
    lean = np.radians(chosen.lean)
    found.axis[on, limb] = (0.0, np.cos(lean), np.sin(lean))
    found.slope[on, limb] = np.tan(np.radians(chosen.spread))
    found.capacity[on, limb] = chosen.capacity
