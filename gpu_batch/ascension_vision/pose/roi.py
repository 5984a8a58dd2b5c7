"""Regions of interest: turned squares in the frame that a network looks at, and the way between the two.

Coordinates follow MediaPipe: pixel ``(i, j)`` of an image lies at ``x = j, y = i`` (not half a pixel further), and the
corners of a region fall on ``0`` and ``size`` of its crop.
"""

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ascension_vision.video.picture import Picture

Array = npt.NDArray[np.float64]
Image = npt.NDArray[np.uint8]
View = Image | Picture


@dataclass(frozen=True)
class Roi:
    """A square around ``(x, y)``, in pixels of the frame, turned clockwise on screen by ``angle`` radians.

    Its crop is ``mirrored`` where that is said: left and right have changed places.
    """

    x: float
    y: float
    side: float
    angle: float = 0.0
    mirrored: bool = False

    @property
    def axes(self) -> Array:
        """``(2, 2)``: maps crop coordinates −0.5 … 0.5 to offsets from the centre, in pixels."""
        cos, sin = np.cos(self.angle) * self.side, np.sin(self.angle) * self.side
        right = -1 if self.mirrored else 1
        return np.array([[right * cos, -sin], [right * sin, cos]])

    def to_frame(self, points: npt.NDArray[Any]) -> Array:
        """``(…, 2)`` crop coordinates, 0 to 1, as pixels of the frame."""
        return (np.asarray(points, dtype=np.float64) - 0.5) @ self.axes.T + (self.x, self.y)

    def matrix(self, size: int) -> Array:
        """``(2, 3)``: where in the frame a crop of that size shows ``(x, y, 1)``."""
        axes = self.axes
        return np.column_stack([axes / size, np.array([self.x, self.y]) - axes @ (0.5, 0.5)])

    def crop(self, image: View, size: int, border: int) -> Image:
        """``(size, size, 3) uint8``: the region out of ``image``. ``border`` is an OpenCV border mode."""
        matrix = self.matrix(size)
        if isinstance(image, Picture):
            return image.crop(matrix, size, border)
        return cv2.warpAffine(
            image, matrix, (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=border
        ).astype(np.uint8, copy=False)

    def scaled(self, factor: float) -> "Roi":
        """The same region of the image enlarged by ``factor``."""
        return replace(self, x=self.x * factor, y=self.y * factor, side=self.side * factor)

    def turned(self, angle: float) -> "Roi":
        return replace(self, angle=normalized_angle(self.angle + angle))


def whole_frame(image: View, angle: float = 0.0) -> Roi:
    """The smallest square that holds the whole frame."""
    rows, columns = image.shape[:2]
    return Roi(columns / 2, rows / 2, float(max(rows, columns)), angle)


def roi_from_alignment(centre: npt.NDArray[Any], top: npt.NDArray[Any], scale: float = 1.25) -> Roi:
    """BlazePose's region from its alignment points: ``centre`` between the hips, ``top`` on the circle around the body.

    Both ``(2,)`` in pixels. The circle's radius with a margin gives the side; the body is turned upright.
    """
    dx, dy = float(top[0] - centre[0]), float(top[1] - centre[1])
    angle = np.pi / 2 - np.arctan2(-dy, dx)
    return Roi(float(centre[0]), float(centre[1]), 2 * scale * float(np.hypot(dx, dy)), normalized_angle(angle))


def between(first: Roi, second: Roi, fraction: float) -> Roi:
    """The region a ``fraction`` of the way from ``first`` to ``second``, turning the shorter way round."""
    turn = normalized_angle(second.angle - first.angle)
    return Roi(
        first.x + fraction * (second.x - first.x),
        first.y + fraction * (second.y - first.y),
        float(np.exp((1 - fraction) * np.log(first.side) + fraction * np.log(second.side))),
        normalized_angle(first.angle + fraction * turn),
    )


def normalized_angle(angle: float) -> float:
    """``angle`` within −π … π."""
    return float(angle - 2 * np.pi * np.floor((angle + np.pi) / (2 * np.pi)))
