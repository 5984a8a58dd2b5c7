"""First look at a clip: where is somebody, on a few frames a second, and which of them climbs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np

from ascension_vision.pose.blazepose import MIN_POSE_FLAG, BlazePose, Landmarks
from ascension_vision.pose.roi import Image, Roi, whole_frame
from ascension_vision.video.clip import Clip

KEY_SECONDS = 0.2
_KEY_SIDE = 1280
_MAX_PEOPLE = 4


@dataclass
class KeyFrame:
    """A frame that is searched for people.

    It is kept as JPEG, long side at most 1280, so that a whole clip can be searched back and forth in little memory.
    All regions here are in its own pixels; ``scale`` of them make a pixel of the analysed frame.
    """

    index: int
    t: float
    jpeg: bytes
    scale: float
    width: int
    height: int
    people: list[Landmarks] = field(default_factory=list)

    def image(self) -> Image:
        decoded = cv2.imdecode(np.frombuffer(self.jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)
        assert decoded is not None
        return decoded.astype(np.uint8, copy=False)


def key_frames(clip: Clip, pose: BlazePose, progress: Callable[[float], None]) -> list[KeyFrame]:
    """Decode the clip once; on a frame every fifth of a second look for people in the whole frame."""
    step = max(1, round(KEY_SECONDS * clip.fps))
    expected = max(1, (clip.expected_frames or 1) // step)
    keys: list[KeyFrame] = []
    for batch in _batches(clip, step):
        images = [image for _, image in batch]
        detections = pose.detect(images, [whole_frame(image) for image in images])
        asked = [(i, d.roi) for i, found in enumerate(detections) for d in found[:_MAX_PEOPLE]]
        seen = look_twice(pose, [images[i] for i, _ in asked], [roi for _, roi in asked])
        for (i, _), person in zip(asked, seen, strict=True):
            if person is not None and not any(same_body(person, other) for other in batch[i][0].people):
                batch[i][0].people.append(person)
        keys.extend(key for key, _ in batch)
        progress(min(1.0, len(keys) / expected))
    return keys


def look_twice(pose: BlazePose, images: list[Image], rois: list[Roi]) -> list[Landmarks | None]:
    """Landmarks in the region where the first look at ``rois`` suggests the body is; None where no body is."""
    first = pose.landmarks(images, rois)
    again = [i for i, seen in enumerate(first) if seen.flag >= MIN_POSE_FLAG and plausible(seen)]
    second = pose.landmarks([images[i] for i in again], [first[i].next_roi for i in again])
    found: list[Landmarks | None] = [None] * len(rois)
    for i, seen in zip(again, second, strict=True):
        if seen.flag >= MIN_POSE_FLAG and plausible(seen):
            found[i] = seen
    return found


def plausible(seen: Landmarks) -> bool:
    """Whether the next region is of a sane size: a network that sees no body may place its points anywhere."""
    ratio = seen.next_roi.side / seen.roi.side
    moved = float(np.hypot(seen.next_roi.x - seen.roi.x, seen.next_roi.y - seen.roi.y)) / seen.roi.side
    return 0.4 < ratio < 2.5 and moved < 0.5


def same_body(one: Landmarks, other: Landmarks) -> bool:
    """Whether two sets of landmarks in one frame lie on the same body: torsos closer than half their length."""
    torso = [11, 12, 23, 24]
    apart = np.linalg.norm(one.points[torso, :2] - other.points[torso, :2], axis=1).mean()
    return bool(apart < 0.5 * max(torso_length(one), torso_length(other)))


def torso_length(seen: Landmarks) -> float:
    """Pixels between the middles of the shoulders and of the hips."""
    return float(np.linalg.norm(seen.points[[11, 12], :2].mean(axis=0) - seen.points[[23, 24], :2].mean(axis=0)))


def _batches(clip: Clip, step: int, size: int = 8) -> Iterator[list[tuple[KeyFrame, Image]]]:
    batch: list[tuple[KeyFrame, Image]] = []
    for frame in clip.frames(every=step):
        rows, columns = frame.image.shape[:2]
        shrink = min(1.0, _KEY_SIDE / max(rows, columns))
        image = frame.image
        if shrink < 1:
            image = cv2.resize(image, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA).astype(np.uint8)
        height, width = image.shape[:2]
        ok, jpeg = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])
        assert ok
        batch.append((KeyFrame(frame.index, frame.t, jpeg.tobytes(), columns / width, width, height), image))
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
