"""Joints of climbers on real frames, marked by eye in enlarged pictures that showed no skeleton: ``marked.json``.

Some of the frames were marked a second time by somebody else, who did not see the first marks.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_FILE = Path(__file__).with_name("marked.json")
_SHOULDERS, _HIPS = [0, 1], [6, 7]
_VISIBLE = 2


def marks(clip: str, part: str = "frames") -> dict[int, Array]:
    """By frame ``(12, 3)``: x, y in pixels and 2 for joints in sight, 1 for hidden ones; NaN where nothing was marked.

    ``part``: ``frames``, or ``again`` for those that were marked a second time.
    """
    told = json.loads(_FILE.read_text())[part].get(clip, {})
    nothing = [np.nan] * 3
    return {int(frame): np.array([joint or nothing for joint in joints]) for frame, joints in told.items()}


def right(truth: Mapping[int, Array], answers: Mapping[int, Array], reach: float) -> npt.NDArray[np.bool_]:
    """Which joints in sight an answer, ``(12, ≥ 2)`` pixels by frame, has within so many of the torso's lengths."""
    near: list[bool] = []
    for frame, joints in truth.items():
        if frame in answers:
            torso = np.linalg.norm(joints[_SHOULDERS, :2].mean(axis=0) - joints[_HIPS, :2].mean(axis=0))
            away = np.linalg.norm(answers[frame][:, :2] - joints[:, :2], axis=1) / torso
            near += (np.nan_to_num(away, nan=np.inf) <= reach)[joints[:, 2] == _VISIBLE].tolist()
    return np.array(near, np.bool_)
