"""On which hold a limb is, by its place."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ascension_vision.contacts.contact import LIMBS
from ascension_vision.holds.hold import Hold

Array = npt.NDArray[np.float64]

# Torso lengths by which the place of a limb at rest is off: hands are placed better than feet, hands and wandering feet
# at times by far (Student's t with so many degrees of freedom).
_OFF, _TAIL = {"hand": 0.08, "foot": 0.12}, 4.0
# The chance that a rest is on one given hold within reach, over that of resting on none at one place, per square torso
# length: 0.9 over some twenty holds, 0.1 over some six square torso lengths.
_ON_ONE = 2.9
# On a wall of many holds everything is near one of them: so much that speaks for a hold does not speak for a rest.
_ANYWHERE = 3.0
# What speaks against a hook with the heel.
_HOOK = 1.0
# Torso lengths beyond which a limb is on no hold.
_REACH = 1.0


class Touch:
    """How likely a limb at some place is on each hold rather than on none.

    Args:
        ever: ``(n, 2)`` reference pixels, all places where the limb is: what is out of its reach is left out.
        leaning: ``(holds,)`` what else speaks for each, logarithms.
    """

    def __init__(self, holds: Sequence[Hold], limb: int, ever: Array, torso: float, leaning: Array) -> None:
        self.torso, off = torso, _OFF[LIMBS[limb].split("_")[1]]
        low, high = (np.array([end(hold.outline, axis=0) for hold in holds]).reshape(-1, 2) for end in (np.min, np.max))
        near = ((high > ever.min(axis=0) - _REACH * torso) & (low < ever.max(axis=0) + _REACH * torso)).all(axis=1)
        self.which = np.flatnonzero(near)
        low, high = low[near] / torso, high[near] / torso
        self.middle = (low + high) / 2
        # A limb may be anywhere on a hold: this is the variance of an ellipse so wide and high.
        variance = ((high - low) / 4) ** 2 + off**2
        self.weight = 1 / (_TAIL * variance)
        # The density of Student's t in two dimensions at its middle is that of the normal distribution.
        self.peak = leaning[near] + np.log(_ON_ONE / (2 * np.pi * np.sqrt(variance.prod(axis=1))))

    def each(self, places: Array) -> Array:
        """``(n, holds within reach)`` for ``(n, 2)`` reference pixels, logarithms."""
        x, y = ((places[:, i, None] / self.torso - self.middle[:, i]) ** 2 * self.weight[:, i] for i in (0, 1))
        value: Array = self.peak - (_TAIL + 2) / 2 * np.log1p(x + y)
        return value

    def best(self, places: Array, heels: Array | None) -> tuple[Array, npt.NDArray[np.intp]]:
        """See ``rests.Chances``."""
        if not len(self.which):
            return np.zeros(len(places)), np.full(len(places), -1)
        value = self.each(places)
        if heels is not None:
            hooking = np.isfinite(heels).all(axis=1)
            value[hooking] = np.maximum(value[hooking], self.each(heels[hooking]) - _HOOK)
        best = value.argmax(axis=1)
        worth = value[np.arange(len(places)), best]
        return worth - _ANYWHERE, np.where(worth > 0, self.which[best], -1)
