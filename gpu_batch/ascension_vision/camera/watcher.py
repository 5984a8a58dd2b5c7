"""Watches a clip while it is decoded once: how spots of every frame have moved since the last key frame."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from ascension_vision.video.clip import Frame

Gray = npt.NDArray[np.uint8]
Spots = npt.NDArray[np.float32]

SIDE = 540
_SPOTS = 180
_SPOT_QUALITY, _SPOT_DISTANCE = 0.005, 11
_WINDOW, _LEVELS = (13, 13), 2
_STOP = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 12, 0.02)


@dataclass(frozen=True)
class Sight:
    """A key frame as the watcher keeps it: ``jpeg`` of its brightness, long side ``SIDE``; ``frame`` its index."""

    frame: int
    shot: int
    jpeg: bytes

    def gray(self) -> Gray:
        """``(rows, columns)``"""
        decoded = cv2.imdecode(np.frombuffer(self.jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert decoded is not None
        return decoded.astype(np.uint8, copy=False)


@dataclass
class CameraWatcher:
    """Give it every frame in order, in the chunks that end with a key frame; then ``registration.register`` it.

    All places are in pixels of the small picture, counted from its corner; ``scale`` of the analysed frame's make one.

    Attributes:
        sights: the key frames in order.
        base: for every frame, the position in ``sights`` of the key frame before it; -1 where there is none.
        spots: for every frame, ``(n, 2, 2)``: where spots were on that key frame, and where they are on this one.
    """

    sights: list[Sight] = field(default_factory=list)
    base: list[int] = field(default_factory=list)
    spots: list[Spots] = field(default_factory=list)
    scale: float = 1.0
    size: tuple[int, int] = (0, 0)
    _last: Gray | None = None
    _origin: Spots = field(default_factory=lambda: np.zeros((0, 2), np.float32))

    def see(self, shot: int, frames: Sequence[Frame]) -> None:
        """The frames after the last key frame up to and including the next, of one shot."""
        if self.sights and self.sights[-1].shot != shot:
            self._last = None
        now = self._origin
        for frame in frames:
            rows, columns = frame.picture.shape[:2]
            self.scale = max(rows, columns) / SIDE if max(rows, columns) > SIDE else 1.0
            self.size = (round(columns / self.scale), round(rows / self.scale))
            gray = frame.picture.brightness(self.size)
            if self._last is None or not len(now):
                self.base.append(-1)
                self.spots.append(np.zeros((0, 2, 2), np.float32))
            else:
                now, found = track(self._last, gray, now)
                now, self._origin = now[found], self._origin[found]
                self.base.append(len(self.sights) - 1)
                self.spots.append(np.stack([self._origin, now], axis=1) + np.float32(0.5))
            self._last = gray
        assert self._last is not None
        ok, jpeg = cv2.imencode(".jpg", self._last, [cv2.IMWRITE_JPEG_QUALITY, 93])
        assert ok
        self.sights.append(Sight(frames[-1].index, shot, jpeg.tobytes()))
        self._origin = corners(self._last)


def corners(gray: Gray, mask: Gray | None = None) -> Spots:
    """``(n, 2)`` spots that can be followed, in OpenCV's pixels; nothing where ``mask`` is 0."""
    found = cv2.goodFeaturesToTrack(gray, _SPOTS, _SPOT_QUALITY, _SPOT_DISTANCE, mask=mask)
    return np.zeros((0, 2), np.float32) if found is None else found.reshape(-1, 2).astype(np.float32, copy=False)


def track(before: Gray, after: Gray, spots: Spots) -> tuple[Spots, npt.NDArray[np.bool_]]:
    """Where ``(n, 2)`` spots have gone, and which were found again (Lucas and Kanade 1981, over a pyramid)."""
    moved, found, _ = cv2.calcOpticalFlowPyrLK(
        before, after, spots[:, None], None, winSize=_WINDOW, maxLevel=_LEVELS, criteria=_STOP  # type: ignore[call-overload]
    )  # fmt: skip
    return moved[:, 0].astype(np.float32, copy=False), found[:, 0].astype(bool)
