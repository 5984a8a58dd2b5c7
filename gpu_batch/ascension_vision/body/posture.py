"""How a body stands, hangs or climbs, frame by frame, and from when to when it climbs."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ascension_vision.body.skeleton import HIPS, SHOULDERS

Array = npt.NDArray[np.float64]

_WRISTS, _KNEES, _ANKLES = [15, 16], [25, 26], [27, 28]
_RAISED_TORSOS = 0.25
_TILTED = np.cos(np.radians(55))
# Shorter spells, a wave of the hand or a step back from the wall, neither begin nor end a climb.
_SPELL_SECONDS = 0.6


def on_wall(points: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """``(frames,)``: whether a body holds itself as climbers do and people on the ground hardly ever.

    A hand well above its shoulder, a foot above the other knee, or a trunk that is far from upright. ``points``
    ``(frames, 33, ≥ 2)`` in pixels of upright frames; NaN counts as no.
    """
    xy = points[..., :2]
    trunk = xy[:, SHOULDERS].mean(axis=1) - xy[:, HIPS].mean(axis=1)
    length = np.maximum(np.linalg.norm(trunk, axis=1), 1e-9)
    raised = (xy[:, SHOULDERS, 1] - xy[:, _WRISTS, 1]).max(axis=1) > _RAISED_TORSOS * length
    high_foot = (xy[:, _KNEES[::-1], 1] - xy[:, _ANKLES, 1]).max(axis=1) > 0
    tilted = -trunk[:, 1] / length < _TILTED
    found: npt.NDArray[np.bool_] = np.isfinite(trunk[:, 0]) & (raised | high_foot | tilted)
    return found


def phases(t: Array, points: npt.NDArray[Any]) -> tuple[int, int, int]:
    """How many frames come before the climb, belong to it, and come after it.

    The climb lasts from the first to the last spell on the wall; where there is none, all frames belong to it.
    ``t`` ``(frames,)`` seconds, ``points`` as in ``on_wall``.
    """
    count = len(t)
    climbing = on_wall(points)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], climbing, [False]])))
    spells = [(start, stop) for start, stop in edges.reshape(-1, 2) if t[stop - 1] - t[start] >= _SPELL_SECONDS]
    if not spells:
        return 0, count, 0
    start, stop = int(spells[0][0]), int(spells[-1][1])
    return start, stop - start, count - stop


def runs(true: npt.NDArray[np.bool_]) -> list[slice]:
    """Where it is true without a break."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], true, [False]]))).reshape(-1, 2)
    return [slice(start, stop) for start, stop in edges.tolist()]
