"""Second look at a clip: the climber's landmarks on every frame."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ascension_vision.pose.blazepose import BATCH, MIN_POSE_FLAG, BlazePose, Landmarks
from ascension_vision.pose.climber import Path
from ascension_vision.pose.roi import Image, Roi, normalized_angle
from ascension_vision.pose.scouting import plausible, torso_length
from ascension_vision.video.clip import Clip

Array = npt.NDArray[np.float64]

_NARROWER = 0.85
_TURNS = (0.0, 0.35, -0.35)


@dataclass
class Poses:
    """The climber over all analysed frames; NaN in every array where nobody is seen.

    Attributes:
        t: ``(frames,)`` seconds.
        points: ``(frames, 33, 3)`` x, y in pixels of the analysed frame, z in the same scale, hip-centred.
        visibility: ``(frames, 33)`` 0 … 1.
        world: ``(frames, 33, 3)`` metres, hip-centred, axes of the frame.
        width, height: of the analysed frame in pixels.
    """

    t: Array
    points: Array
    visibility: Array
    world: Array
    width: int
    height: int

    @property
    def seen(self) -> npt.NDArray[np.bool_]:
        """``(frames,)``: where the climber is seen."""
        return np.isfinite(self.points[:, 0, 0])


def follow(clip: Clip, pose: BlazePose, path: Path, progress: Callable[[float], None]) -> Poses:
    """Decode the clip and place landmarks on each frame where ``path`` leads."""
    times: list[float] = []
    seen: list[Landmarks | None] = []
    size = (0, 0)
    pending: list[tuple[int, Image, Roi]] = []

    def work() -> None:
        images, rois = [image for _, image, _ in pending], [roi for _, _, roi in pending]
        limits = [path.longest_torso(times[index]) for index, _, _ in pending]
        for (index, _, _), found in zip(pending, _look(pose, images, rois, limits), strict=True):
            seen[index] = found
        pending.clear()

    for frame in clip.frames():
        times.append(frame.t)
        seen.append(None)
        size = frame.image.shape[1], frame.image.shape[0]
        roi = path.at(frame.t)
        if roi is not None:
            pending.append((frame.index, frame.image, roi))
            if len(pending) == BATCH:
                work()
        progress(min(1.0, len(times) / (clip.expected_frames or len(times))))
    work()
    return _gather(times, seen, *size)


def _look(pose: BlazePose, images: list[Image], rois: list[Roi], longest_torsos: list[float]) -> list[Landmarks | None]:
    """One look; a second in the region that the first suggests where that is quite another; where still nobody is seen,
    one in three regions that are turned and narrowed a little."""

    def good(i: int, seen: Landmarks) -> bool:
        return seen.flag >= MIN_POSE_FLAG and plausible(seen) and torso_length(seen) <= longest_torsos[i]

    found = pose.landmarks(images, rois)
    again = [i for i, seen in enumerate(found) if plausible(seen) and (seen.flag < MIN_POSE_FLAG or _off(seen))]
    second = pose.landmarks([images[i] for i in again], [found[i].next_roi for i in again])
    for i, seen in zip(again, second, strict=True):
        if good(i, seen):
            found[i] = seen
    lost = [i for i, seen in enumerate(found) if not good(i, seen)]
    tried = [
        (i, Roi(rois[i].x, rois[i].y, _NARROWER * rois[i].side, rois[i].angle + turn)) for i in lost for turn in _TURNS
    ]
    for (i, _), seen in zip(
        tried, pose.landmarks([images[i] for i, _ in tried], [roi for _, roi in tried]), strict=True
    ):
        if good(i, seen) and (not good(i, found[i]) or seen.flag > found[i].flag):
            found[i] = seen
    return [seen if good(i, seen) else None for i, seen in enumerate(found)]


def _off(seen: Landmarks) -> bool:
    """Whether the region fits the body that was seen in it badly enough to look again."""
    moved = np.hypot(seen.next_roi.x - seen.roi.x, seen.next_roi.y - seen.roi.y) / seen.roi.side
    turned = abs(normalized_angle(seen.next_roi.angle - seen.roi.angle))
    ratio = seen.next_roi.side / seen.roi.side
    return bool(moved > 0.12 or turned > 0.5 or not 0.75 < ratio < 1.33)


def _gather(times: list[float], seen: list[Landmarks | None], width: int, height: int) -> Poses:
    count = len(times)
    poses = Poses(
        t=np.array(times),
        points=np.full((count, 33, 3), np.nan),
        visibility=np.full((count, 33), np.nan),
        world=np.full((count, 33, 3), np.nan),
        width=width,
        height=height,
    )
    for index, landmarks in enumerate(seen):
        if landmarks is not None:
            poses.points[index] = landmarks.points
            poses.visibility[index] = landmarks.visibility
            poses.world[index] = landmarks.world
    return poses
