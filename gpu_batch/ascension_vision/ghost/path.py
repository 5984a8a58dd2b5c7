"""Where the Ghost's centre of gravity and its limbs should go."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ascension_vision.body.forces import accelerations
from ascension_vision.ghost.timeline import Timeline
from ascension_vision.metrics.loads import Case
from ascension_vision.metrics.movement import jerk_form
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

# The centre of gravity passes the climber's own place in the middle of each move this nearly, metres, and is about
# there all the time; jerk beyond this, m/s³, is avoided; farther than this, metres, from the path that leaves balance
# out of account is odd.
_AT_MOVES, _AT_ENDS, _ANYWHERE, _JERK, _AWAY = 0.03, 0.05, 0.4, 2.0, 0.1
# What is the climber's place at an end is its median over this time, seconds.
_END_SECONDS = 0.5
# Where balance asks for speed: so long before and after, seconds, the centre is about where the climber's was, jerks as
# it must and goes where it must.
_AROUND, _ABOUT, _JOLT, _FAR = 0.4, 0.1, 30.0, 0.3
# And around a flight: from a push of one weight and more to none within a tenth of a second. A path that may jerk less
# is off sooner and caught later than it has to be, and goes higher for that.
_LEAP_JOLT = 100.0
# With fewer limbs on than these a body swings or flies.
_STEADY = 2
# The Ghost's path was computed, not seen: its accelerations need no more smoothing than the rounding of a result asks
# for, a third of what the climber's need. With the 0.15 s of those a flight of 0.3 s would be felt as half of one.
_SHARP_SECONDS = 0.05


@dataclass(frozen=True)
class Course:
    """Where the centre of gravity should go: for each of ``n`` frames, ``rate`` of them a second,

    Attributes:
        wanted: ``(n, 3)`` wall metres.
        deviation: ``(n,)`` how far from there is no surprise, metres.
        jerk: ``(n,)`` how much is no surprise, m/s³.
        away: ``(n,)`` how far balance may lead from the path of least jerk without surprise, metres.
        quick: ``(n,)`` where it may be as quick as a jump.
        rate: frames a second.
    """

    wanted: Array
    deviation: Array
    jerk: Array
    away: Array
    quick: Mask
    rate: float

    def moved(self, by: Array) -> "Course":
        return replace(self, wanted=self.wanted + by)

    def loosened(self, where: Mask) -> "Course":
        """As free as a jump around the frames ``where``."""
        near = self._around(where)
        return replace(
            self, deviation=np.where(near, _ABOUT, self.deviation), jerk=np.where(near, _JOLT, self.jerk),
            away=np.where(near, _FAR, self.away), quick=self.quick | near,
        )  # fmt: skip

    def leaping(self, flying: Mask) -> "Course":
        """As quick as a jump asks for around the frames in which nothing is held."""
        return replace(self, jerk=np.where(self._around(flying), _LEAP_JOLT, self.jerk))

    def _around(self, frames: Mask) -> Mask:
        return np.asarray(np.convolve(frames, np.ones(2 * round(_AROUND * self.rate) + 1), "same") > 0.5)

    def calm(self) -> Array:
        """``(n, 3)`` the path of least jerk, as ``movement.least_jerk`` has it, whatever holds the body."""
        weight = self.deviation**-2.0
        path = np.linalg.solve(np.diag(weight) + self.jerk_form(), weight[:, None] * self.wanted)
        return np.asarray(path, np.float64)

    def jerk_form(self) -> Array:
        """``(n, n)``: the quadratic form of a path's jerk over what is no surprise."""
        return jerk_form(len(self.jerk), self.rate, (self.jerk[1:-2] + self.jerk[2:-1]) / 2)


def course(timeline: Timeline, gravity: Array, rate: float) -> Course:
    """Past the climber's own places ``gravity`` ``(n, 3)``, at the same point of the same move. They matter in the
    middle of each move and at both ends, and where so few limbs are on that the body swings or flies."""
    wanted, deviation = gravity.copy(), np.full(len(gravity), _ANYWHERE)
    for swing in timeline.swings:
        middle = (swing.lift + swing.land) // 2
        wanted[middle] = np.median(gravity[swing.lift : swing.land + 1], axis=0)
        deviation[middle] = _AT_MOVES
    some = round(_END_SECONDS * rate)
    wanted[0], wanted[-1] = np.median(gravity[:some], axis=0), np.median(gravity[-some:], axis=0)
    deviation[[0, -1]] = _AT_ENDS
    alike = np.ones(len(gravity))
    steady = Course(wanted, deviation, _JERK * alike, _AWAY * alike, alike < 1, rate)
    on = timeline.on.sum(axis=1)
    return steady.loosened(on < _STEADY).leaping(on == 0)


def swing_arc(origin: Array, target: Array, count: int, lift: float) -> Array:
    """``(count, 3)``: from rest to rest with least jerk (Flash and Hogan 1985), ``lift`` metres off the wall midway."""
    share = np.linspace(0, 1, count)[:, None]
    eased = share**3 * (10 - 15 * share + 6 * share**2)
    off = lift * np.sin(np.pi * eased) ** 2 * np.array([0.0, 0.25, 1.0])
    return np.asarray(origin + (target - origin) * eased + off)


def sharp_accelerations(t: Array, path: Array) -> Array:
    """``(n, d)`` second derivatives of ``(n, d)`` places, as ``forces.accelerations`` with a Gaussian of 0.05 s."""
    return accelerations(t, path, _SHARP_SECONDS)


def load_case(timeline: Timeline, points: Array, gravity: Array, types: Mapping[int, str], wall: Wall) -> Case:
    """The Ghost with its limbs' tips at ``points`` ``(n, 4, 3)``, its centre of gravity at ``gravity`` ``(n, 3)``."""
    acceleration = sharp_accelerations(timeline.t, gravity)
    return Case(timeline.t, points, gravity, acceleration, timeline.contacts, types, wall.up)
