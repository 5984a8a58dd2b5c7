"""Where the camera looked on each frame, relative to one of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CameraTrack:
    """The camera's movement, seen in the wall behind the climber.

    Attributes:
        to_reference: ``(frames, 3, 3)`` homographies from pixels of each analysed frame to reference pixels, the last
            element 1; NaN where the movement is unknown.
        reference: the frame whose pixels are the reference's.
        still: whether the camera stood still, so that every known homography is the identity.
    """

    to_reference: Array
    reference: int
    still: bool

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """``(frames,)``"""
        return np.isfinite(self.to_reference[:, 0, 0])

    def place(self, points: Array) -> Array:
        """``(frames, n, 2)`` pixels of each frame, to reference pixels; NaN where the movement is unknown."""
        return apply(self.to_reference, points)

    def back(self, points: Array) -> Array:
        """``(frames, n, 2)`` reference pixels, to pixels of each frame; NaN where the movement is unknown."""
        inverse = np.full_like(self.to_reference, np.nan)
        inverse[self.known] = np.linalg.inv(self.to_reference[self.known])
        return apply(inverse, points)


@dataclass(frozen=True)
class ReferenceView:
    """The wall without the climber.

    Attributes:
        image: ``(height, width, 3)`` uint8 RGB; larger than a frame where the camera panned.
        origin: reference pixels of the image's upper left corner.
        seen: ``(height, width)`` where the wall itself was seen at some time; elsewhere the image shows the colours of
            what is around.
    """

    image: npt.NDArray[np.uint8]
    origin: tuple[float, float]
    seen: npt.NDArray[np.bool_]


def apply(homographies: Array, points: npt.NDArray[np.floating[Any]]) -> Array:
    """``(..., n, 2)`` points through ``(..., 3, 3)`` homographies."""
    mapped = points @ np.swapaxes(homographies[..., :2], -1, -2) + homographies[..., None, :, 2]
    placed: Array = mapped[..., :2] / mapped[..., 2:]
    return placed
