"""The chosen climber's landmarks on every frame."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ascension_vision.pose.climber import Path
from ascension_vision.pose.model import Landmarks, PoseModel
from ascension_vision.pose.roi import Roi, View
from ascension_vision.pose.scouting import Scouted, in_turn, look, torso_length
from ascension_vision.video.clip import Clip

Array = npt.NDArray[np.float64]

_AT_ONCE = 8
# Frames decoded again in one go rather than seeking between them, seconds.
_SAME_STRETCH = 2.0


@dataclass
class Poses:
    """The climber over all analysed frames; NaN in every array where nobody is seen.

    Attributes:
        t: ``(frames,)`` seconds.
        points: ``(frames, 33, 3)`` x, y in pixels of the analysed frame, z in the same scale, hip-centred.
        visibility: ``(frames, 33)`` 0 … 1.
        world: ``(frames, 33, 3)`` metres, hip-centred, axes of the frame.
        width, height: of the analysed frame in pixels.
        peak: ``(frames, 33)`` 0 … 1, how sharply the network sees each landmark; None where it does not say.
        shots: ``(frames,)`` how many cuts came before; None where there are none.
    """

    t: Array
    points: Array
    visibility: Array
    world: Array
    width: int
    height: int
    peak: Array | None = None
    shots: npt.NDArray[np.intp] | None = None

    @property
    def seen(self) -> npt.NDArray[np.bool_]:
        """``(frames,)``: where the climber is seen."""
        return np.isfinite(self.points[:, 0, 0])


def follow(clip: Clip, pose: PoseModel, path: Path, scouted: Scouted, progress: Callable[[float], None]) -> Poses:
    """Landmarks on each frame where ``path`` leads: those that scouting found there, and where it followed somebody
    else or looked elsewhere, those of another look at these frames only."""
    seen: list[Landmarks | None] = [None] * len(scouted.times)
    missing: dict[int, Roi] = {}
    for index, (t, shot) in enumerate(zip(scouted.times, scouted.shots, strict=True)):
        roi = path.at(t, shot)
        if roi is None:
            continue
        known = scouted.looks.get(index)
        if known is None or not _alike(known.asked, roi):
            missing[index] = in_turn(roi, index)
        elif known.seen is not None and torso_length(known.seen) <= path.longest_torso(t, shot):
            seen[index] = known.seen
        elif known.seen is not None:
            missing[index] = in_turn(roi, index)
    _look_again(clip, pose, path, scouted, missing, seen, progress)
    return _gather(scouted, seen)


def _alike(one: Roi, other: Roi) -> bool:
    """Whether looking at one region is as good as looking at the other."""
    apart = float(np.hypot(one.x - other.x, one.y - other.y))
    return apart < 0.12 * other.side and 0.75 < one.side / other.side < 1.33


def _look_again(
    clip: Clip, pose: PoseModel, path: Path, scouted: Scouted, missing: dict[int, Roi], seen: list[Landmarks | None],
    progress: Callable[[float], None],
) -> None:  # fmt: skip
    pending: list[tuple[int, View]] = []
    done = 0

    def work() -> None:
        limits = [path.longest_torso(scouted.times[index], scouted.shots[index]) for index, _ in pending]
        found = look(pose, [view for _, view in pending], [missing[index] for index, _ in pending], limits)
        for (index, _), landmarks in zip(pending, found, strict=True):
            seen[index] = landmarks
        pending.clear()

    for stretch in _stretches(sorted(missing), scouted.times):
        for frame in clip.frames_at(scouted.times, stretch[0], stretch[-1]):
            if frame.index in missing:
                pending.append((frame.index, frame.picture))
                done += 1
                if len(pending) == _AT_ONCE:
                    work()
                    progress(done / len(missing))
        work()
    progress(1.0)


def _stretches(frames: list[int], times: list[float]) -> list[list[int]]:
    if not frames:
        return []
    gaps = np.flatnonzero(np.diff([times[index] for index in frames]) > _SAME_STRETCH) + 1
    return [list(part) for part in np.split(np.array(frames), gaps)]


def _gather(scouted: Scouted, seen: list[Landmarks | None]) -> Poses:
    count = len(seen)
    peak = np.full((count, 33), np.nan)
    poses = Poses(
        t=np.array(scouted.times),
        points=np.full((count, 33, 3), np.nan),
        visibility=np.full((count, 33), np.nan),
        world=np.full((count, 33, 3), np.nan),
        width=scouted.width,
        height=scouted.height,
        peak=peak,
        shots=np.array(scouted.shots, dtype=np.intp),
    )
    for index, landmarks in enumerate(seen):
        if landmarks is not None:
            poses.points[index] = landmarks.points
            poses.visibility[index] = landmarks.visibility
            poses.world[index] = landmarks.world
            peak[index] = landmarks.peak
    return poses
