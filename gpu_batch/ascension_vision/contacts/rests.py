"""When a limb rests, and where: its way over the clip cut into rests and what lies between.

A limb at rest moves slowly, stays at one place and does so for a while. The best of all ways to cut the clip into rests
and air is found (a semi-Markov chain, solved by dynamic programming). Coming and going cost something, which is a
hysteresis in time. On which hold a rest is counts once for the whole rest, not frame by frame: what is wrong with a
landmark stays wrong for as long as the limb stays. What is hidden says nothing.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ascension_vision.contacts.contact import LIMBS
from ascension_vision.contacts.tips import Tips

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

# How much more likely a limb at rest shows this speed (torso lengths a second) than one that moves, as a logarithm.
_SPEEDS, _SPEED_EVIDENCE = (0.0, 0.15, 0.4, 0.8, 1.5, 2.5), (1.2, 1.0, 0.0, -1.2, -2.5, -3.0)
# How much more likely it is at the middle of its rest, and by how many torso lengths landmarks wander about that.
_AT_REST, _WANDERS = 1.0, 0.12
# A limb that is on nothing seldom keeps still: taken off every look.
_BARE = 1.9
# Over this time all that is wrong with a landmark stays the same: its frames together are one look.
_LOOK_SECONDS = 0.12
_COMING, _GOING, _CHANGING = 2.5, 2.5, 2.0
_HIDDEN_AIR = 0.15
# From which chance on a place counts fully, and below which not at all.
SEEN = (0.5, 0.8)
# Rests begin and end on a grid of about so many seconds. So many looks it takes to know a place.
_GRID_SECONDS, _LEAST_LOOKS = 0.1, 0.5
# A beginning that is less likely than the best by more than this will not become the best any more.
_HOPELESS = 15.0


class Chances(Protocol):
    """On which hold a limb is."""

    def best(self, places: Array, heels: Array | None) -> tuple[Array, Indices]:
        """For ``(n, 2)`` places, reference pixels: ``(n,)`` the likeliest hold, -1 for none, and what speaks for it.

        ``heels``: not finite where a foot cannot hook with its heel.
        """
        ...


@dataclass(frozen=True)
class Rest:
    """Frames ``start`` to ``stop`` (exclusive) of one limb on ``hold`` (-1: none); ``place`` in reference pixels, and
    in how many looks it was seen."""

    limb: int
    hold: int
    start: int
    stop: int
    place: Array
    looks: float


def find_rests(tips: Tips, limb: int, chances: Chances) -> list[Rest]:
    """In order of time."""
    return [rest for run in tips.runs() for rest in _Run(tips, limb, run).rests(chances)]


class _Run:
    """A stretch without a gap. All that a rest between two grid points is worth follows from differences of sums."""

    def __init__(self, tips: Tips, limb: int, run: slice) -> None:
        self.limb, self.first, self.torso = limb, run.start, tips.torso
        t, place = tips.t[run], tips.place[run, limb]
        stride = max(1, round(_GRID_SECONDS / float(np.median(np.diff(t)))))
        self.grid = np.append(np.arange(0, len(t), stride), len(t))
        share = np.gradient(t) / _LOOK_SECONDS
        seen = np.interp(tips.seen[run, limb], SEEN, (0.0, 1.0))
        looks = seen * share
        still = np.interp(tips.speed[run, limb], _SPEEDS, _SPEED_EVIDENCE) + _AT_REST
        self.place, self.square = self._sums(looks[:, None] * place), self._sums(looks * (place**2).sum(axis=1))
        self.looks, self.still = self._sums(looks), self._sums(looks * still)
        # A limb that is hidden for long is not held to be where it was last seen.
        self.air = self._sums((1 - seen) * share * _HIDDEN_AIR)
        self.is_foot = LIMBS[limb].endswith("foot")
        if self.is_foot:
            foot = limb - LIMBS.index("left_foot")
            self.heel = self._sums(looks[:, None] * tips.heels[run, foot])
            self.hooking = self._sums(looks * tips.hooking[run, foot])

    def _sums(self, values: Array) -> Array:
        """Of all frames before each grid point."""
        before = np.zeros((1, *values.shape[1:]))
        sums: Array = np.concatenate([before, np.cumsum(values, axis=0)])[self.grid]
        return sums

    def rests(self, chances: Chances) -> list[Rest]:
        n = len(self.grid)
        in_air, at_rest, entering = np.full(n, -np.inf), np.full(n, -np.inf), np.full(n, -np.inf)
        came, hold = np.zeros(n, np.intp), np.full(n, -1, np.intp)
        left = np.zeros(n, np.bool_)
        in_air[0] = entering[0] = 0.0
        starts: Indices = np.zeros(1, np.intp)
        for k in range(1, n):
            worth, which = self._worth(starts, k, chances)
            total = entering[starts] + worth
            best = int(total.argmax())
            at_rest[k], came[k], hold[k] = total[best], starts[best], which[best]
            left[k] = at_rest[k - 1] - _GOING > in_air[k - 1]
            in_air[k] = max(in_air[k - 1], at_rest[k - 1] - _GOING) + self.air[k] - self.air[k - 1]
            entering[k] = max(in_air[k], at_rest[k] - _GOING - _CHANGING) - _COMING
            hopeful = (total > max(at_rest[k], in_air[k]) - _HOPELESS) | np.isneginf(worth)
            starts = np.append(starts[hopeful], k)
        found: list[Rest] = []
        k, resting = n - 1, bool(at_rest[-1] > in_air[-1])
        while k > 0:
            if resting:
                found.append(self._rest(int(came[k]), k, int(hold[k])))
                k = int(came[k])
                resting = bool(at_rest[k] - _GOING - _CHANGING > in_air[k])
            else:
                resting = bool(left[k])
                k -= 1
        return found[::-1]

    def _worth(self, starts: Indices, k: int, chances: Chances) -> tuple[Array, Indices]:
        """How much more likely rests from ``starts`` to ``k`` are than air, logarithms, and on which holds."""
        looks = self.looks[k] - self.looks[starts]
        divisor = np.maximum(looks, 1e-9)
        place = (self.place[k] - self.place[starts]) / divisor[:, None]
        wandered = np.maximum(self.square[k] - self.square[starts] - looks * (place**2).sum(axis=1), 0)
        heels = None
        if self.is_foot:
            heels = (self.heel[k] - self.heel[starts]) / divisor[:, None]
            heels[(self.hooking[k] - self.hooking[starts]) <= looks / 2] = np.nan
        hold_worth, which = chances.best(place, heels)
        worth = self.still[k] - self.still[starts] - wandered / (2 * (_WANDERS * self.torso) ** 2)
        worth += np.where(which >= 0, hold_worth, -_BARE * looks)
        return np.where(looks < _LEAST_LOOKS, -np.inf, worth), which

    def _rest(self, start: int, stop: int, hold: int) -> Rest:
        looks = float(self.looks[stop] - self.looks[start])
        place = (self.place[stop] - self.place[start]) / max(looks, 1e-9)
        first, last = self.first + self.grid[[start, stop]]
        return Rest(self.limb, hold, int(first), int(last), place, looks)
