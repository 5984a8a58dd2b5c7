"""A verbose result, looked up by the time of a video frame."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LIMB_TIPS = {"left_hand": (17, 19), "right_hand": (18, 20), "left_foot": (31,), "right_foot": (32,)}
LIMBS = tuple(LIMB_TIPS)

# The Ghost stands still while the climber does something that it leaves out; beyond that its frames are missing.
_LONGEST_STEP_S = 0.25


@dataclass(frozen=True)
class Pose:
    """``landmarks`` (33, 4) x, y, z, visibility, and the ``center`` of gravity (2,); image coordinates 0 to 1."""

    landmarks: Array
    center: Array | None


class Poses:
    """The poses of a verbose result over time."""

    def __init__(self, result: dict[str, Any]) -> None:
        frames = result["poses"]["frames"]
        self.times: list[float] = [float(frame["t"]) for frame in frames]
        self._poses = [_pose(frame) for frame in frames]
        self._spacing = float(np.median(np.diff(self.times))) if len(frames) > 1 else 1 / 30

    def __len__(self) -> int:
        return len(self.times)

    def __getitem__(self, index: int) -> Pose | None:
        return self._poses[index]

    def nearest(self, t: float) -> int:
        """Index of the analysed frame nearest in time. Raises ``IndexError`` where nothing was analysed."""
        if not self.times:
            raise IndexError("the result has no frames")
        after = bisect_right(self.times, t)
        candidates = [index for index in (after - 1, after) if 0 <= index < len(self.times)]
        return min(candidates, key=lambda index: abs(self.times[index] - t))

    def at(self, t: float) -> Pose | None:
        """The pose at ``t`` seconds: an analysed frame's, or between two where the video has more frames than that.

        None where nobody was seen or nothing was analysed; never carried on from an earlier frame.
        """
        if not self.times:
            return None
        near = self.nearest(t)
        if abs(self.times[near] - t) <= 0.2 * self._spacing:
            return self._poses[near]
        after = bisect_right(self.times, t)
        if after == 0 or after == len(self.times):
            return self._poses[near] if abs(self.times[near] - t) <= self._spacing else None
        first, second = self._poses[after - 1], self._poses[after]
        span = self.times[after] - self.times[after - 1]
        if first is None or second is None or span > 2.5 * self._spacing:
            return None
        share = (t - self.times[after - 1]) / span
        center = None
        if first.center is not None and second.center is not None:
            center = first.center + share * (second.center - first.center)
        return Pose(first.landmarks + share * (second.landmarks - first.landmarks), center)

    def centers(self) -> Array:
        """(frames, 2) centre of gravity, NaN where not known."""
        unknown = np.full(2, np.nan)
        centers = [pose.center if pose is not None and pose.center is not None else unknown for pose in self._poses]
        return np.array(centers).reshape(-1, 2)

    def seen(self) -> NDArray[np.bool_]:
        """(frames,) whether a climber was found."""
        return np.array([pose is not None for pose in self._poses], dtype=bool)


class Ghost:
    """The Ghost of a verbose result, by the climber's time."""

    def __init__(self, result: dict[str, Any]) -> None:
        frames = (result.get("ghost") or {}).get("frames") or []
        self._frames = [frame for frame in frames if frame.get("landmarks") is not None]
        self._times = np.array([float(frame.get("climber_t", frame["t"])) for frame in self._frames])

    def at(self, t: float) -> Array | None:
        """(33, 4) landmarks when the climber is at ``t`` seconds, as that frame sees them; None outside the Ghost's
        climb and where the camera is not known."""
        if not len(self._times) or not self._times[0] <= t <= self._times[-1]:
            return None
        after = min(int(np.searchsorted(self._times, t, side="right")), len(self._times) - 1)
        before = max(after - 1, 0)
        span = float(self._times[after] - self._times[before])
        if span > _LONGEST_STEP_S and min(t - self._times[before], self._times[after] - t) > _LONGEST_STEP_S / 2:
            return None
        share = float(np.clip((t - self._times[before]) / span, 0, 1)) if span > 0 else 0.0
        first, second = (np.array(self._frames[index]["landmarks"], dtype=np.float64) for index in (before, after))
        between: Array = first + share * (second - first)
        return between


def _pose(frame: dict[str, Any]) -> Pose | None:
    if frame.get("landmarks") is None:
        return None
    center = frame.get("center_of_gravity")
    return Pose(
        np.array(frame["landmarks"], dtype=np.float64),
        None if center is None or any(value is None for value in center) else np.array(center, dtype=np.float64),
    )
