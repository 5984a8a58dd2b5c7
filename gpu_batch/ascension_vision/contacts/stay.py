"""A limb that stays where it is, and when exactly it comes and goes."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ascension_vision.contacts.tips import Tips

Array = npt.NDArray[np.float64]

# Torso lengths from its place at which a limb is surely under way; how long a reach takes from there to rest, at most;
# and how much of a stay says where that place is.
_LEFT, _SLOWEST_SECONDS, _SETTLE_SECONDS, _PLACE_FRAMES = 0.15, 0.3, 0.4, 8
# No half of a reach takes longer, and so much (one sigma) places are steadied for their greatest speed.
_REACH_SECONDS, _STEADY_SECONDS = 0.6, 0.07
# Farther from where the sequence of states changes is another reach.
_EDGE_SECONDS = 0.45


@dataclass(frozen=True)
class Stay:
    """Frames ``start`` to ``stop`` (exclusive) of one limb; ``hold`` its position in the list, -1 for no hold.
    ``demanded``: nobody saw it, but the body would have fallen otherwise."""

    limb: int
    hold: int
    start: int
    stop: int
    demanded: bool = False

    def seconds(self, tips: Tips) -> tuple[float, float]:
        """When the limb comes to rest and when it sets off, as exactly as its way there and back tells."""
        start, end = float(tips.t[self.start]), float(tips.t[self.stop - 1])
        if self.demanded:
            return start, end
        rest, leave = _edge(tips, self, -1), _edge(tips, self, 1)
        start = rest if abs(rest - start) < _EDGE_SECONDS else start
        return start, leave if start < leave and abs(leave - end) < _EDGE_SECONDS else end


def _edge(tips: Tips, stay: Stay, way: int) -> float:
    """When the limb comes to rest (``way`` -1) or sets off (1), seconds.

    The end of a reach is too slow to be told from noise. But a reach of least jerk (Flash and Hogan 1985) ends as the
    cube of the time that is left: from its distance and speed where both are still large follows when it is over. It is
    asked where the limb leaves its place and where it is fastest, and the longer stay is taken: whatever comes between
    a reach and what a camera sees of it, a landmark that follows its limb late among it, makes a stay look shorter.
    """
    run = next(run for run in tips.runs() if run.start <= stay.start < run.stop)
    inner = min(int(np.searchsorted(tips.t[stay.start : stay.stop] - tips.t[stay.start], _SETTLE_SECONDS)),
                (stay.stop - stay.start) // 2)  # fmt: skip
    k = stay.start + inner if way < 0 else stay.stop - 1 - inner
    near = np.arange(k, k - way * _PLACE_FRAMES, -way)
    near = near[(near >= stay.start) & (near < stay.stop)]
    rest = np.median(tips.place[near, stay.limb], axis=0)
    t, place = tips.t[run], tips.place[run, stay.limb]
    away = np.linalg.norm(place - rest, axis=1) / tips.torso
    k -= run.start
    while 0 < k < len(away) - 1 and away[k] < _LEFT:
        k += way
    if away[k] < _LEFT or not 0 <= k - way < len(away):
        return float(t[k])
    step = (away[k] - _LEFT) / max(away[k] - away[k - way], 1e-9)
    crossed = t[k] + (t[k - way] - t[k]) * min(step, 1.0)
    speed = tips.speed[run, stay.limb]
    fast = max(speed[k], speed[k - way], 1e-6)
    left = crossed - way * min(_SLOWEST_SECONDS, 3 * _LEFT / fast)
    halfway = _from_halfway(t, _steadied(t, place), rest, k, way)
    return float(min(left, halfway) if way < 0 else max(left, halfway))


def _from_halfway(t: Array, place: Array, rest: Array, k: int, way: int) -> float:
    """The same from where the limb is fastest, on the reach that passes frame ``k``: halfway in a reach of least jerk,
    of which it takes the rest at 15/8 of its mean speed."""
    speed = np.linalg.norm(np.gradient(place, t, axis=0), axis=1)
    fastest = k
    while 0 < k < len(t) - 1 and speed[k] > speed[fastest] / 2 and abs(t[k] - t[fastest]) < _REACH_SECONDS:
        fastest = k if speed[k] > speed[fastest] else fastest
        k += way
    left = 15 / 8 * np.linalg.norm(place[fastest] - rest) / max(speed[fastest], 1e-6)
    return float(t[fastest] - way * min(_REACH_SECONDS, left))


def _steadied(t: Array, place: Array) -> Array:
    step = float(np.median(np.diff(t)))
    reach = max(1, round(3 * _STEADY_SECONDS / step))
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) * step / _STEADY_SECONDS) ** 2)
    padded = np.pad(place, ((reach, reach), (0, 0)), mode="edge")
    return np.stack([np.convolve(axis, bell / bell.sum(), "valid") for axis in padded.T], axis=1)
