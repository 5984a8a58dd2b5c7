"""A limb that stays where it is, and when exactly it comes and goes."""

from dataclasses import dataclass

import numpy as np

from ascension_vision.contacts.tips import Tips

# Torso lengths from its place at which a limb is surely under way; how long a reach takes from there to rest, at most;
# and how much of a stay says where that place is.
_LEFT, _SLOWEST_SECONDS, _SETTLE_SECONDS, _PLACE_FRAMES = 0.15, 0.3, 0.4, 8
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
    cube of the time that is left: from its distance and speed where both are still large follows when it is over.
    """
    run = next(run for run in tips.runs() if run.start <= stay.start < run.stop)
    inner = min(int(np.searchsorted(tips.t[stay.start : stay.stop] - tips.t[stay.start], _SETTLE_SECONDS)),
                (stay.stop - stay.start) // 2)  # fmt: skip
    k = stay.start + inner if way < 0 else stay.stop - 1 - inner
    near = np.arange(k, k - way * _PLACE_FRAMES, -way)
    near = near[(near >= stay.start) & (near < stay.stop)]
    rest = np.median(tips.place[near, stay.limb], axis=0)
    away = np.linalg.norm(tips.place[run, stay.limb] - rest, axis=1) / tips.torso
    k -= run.start
    while 0 < k < len(away) - 1 and away[k] < _LEFT:
        k += way
    t, speed = tips.t[run], tips.speed[run, stay.limb]
    if away[k] < _LEFT or not 0 <= k - way < len(away):
        return float(t[k])
    step = (away[k] - _LEFT) / max(away[k] - away[k - way], 1e-9)
    crossed = t[k] + (t[k - way] - t[k]) * min(step, 1.0)
    fast = max(speed[k], speed[k - way], 1e-6)
    return float(crossed - way * min(_SLOWEST_SECONDS, 3 * _LEFT / fast))
