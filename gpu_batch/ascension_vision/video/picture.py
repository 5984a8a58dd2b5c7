"""A decoded frame as the decoder left it, brightness and colour apart, from which small parts are cut as RGB.

Turning a whole frame into RGB costs more than the pose networks look at: they see squares of 256 pixels.
"""

from functools import cached_property
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

RGB = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.uint8]

# Weights of red and blue in brightness: ITU-R BT.601, BT.709, BT.2020, by FFmpeg's number for the colour space.
_BT601, _BT709, _BT2020 = (0.299, 0.114), (0.2126, 0.0722), (0.2627, 0.0593)
_WEIGHTS = {1: _BT709, 9: _BT2020, 10: _BT2020}


def to_rgb(colour_space: int, full_range: bool) -> npt.NDArray[np.float64]:
    """``(3, 4)``: bytes Y, U, V, 1 to bytes R, G, B, for FFmpeg's ``colour_space``; unknown ones are BT.601."""
    red, blue = _WEIGHTS.get(colour_space, _BT601)
    green = 1 - red - blue
    light, black, colour = (1.0, 0.0, 1.0) if full_range else (255 / 219, 16.0, 255 / 224)
    v_red, u_blue = 2 * (1 - red) * colour, 2 * (1 - blue) * colour
    u_green, v_green = -u_blue * blue / green, -v_red * red / green
    matrix = np.array([[light, 0, v_red], [light, u_green, v_green], [light, u_blue, 0]])
    return np.column_stack([matrix, -matrix @ (black, 128, 128)])


class Picture:
    """An upright frame: ``(rows, columns)`` brightness and two planes of colour at half its size.

    Attributes:
        shape: ``(rows, columns, 3)``, as its RGB array has it.
        planes: brightness and both colours.
        matrix: see ``to_rgb``.
    """

    def __init__(self, y: Plane, u: Plane, v: Plane, matrix: npt.NDArray[np.float64]) -> None:
        """``matrix``: see ``to_rgb``."""
        self._y, self._u, self._v = self.planes = y, u, v
        self.matrix = matrix
        self.shape = (*y.shape, 3)

    @cached_property
    def rgb(self) -> RGB:
        """``(rows, columns, 3) uint8``; costly, and kept once made."""
        return self._coloured(self._y, *(self._enlarged(plane) for plane in (self._u, self._v)))

    def crop(self, matrix: npt.NDArray[Any], size: int, border: int) -> RGB:
        """``(size, size, 3) uint8``: pixel ``(x, y)`` shows the frame at ``matrix @ (x, y, 1)``.

        ``border``: an OpenCV border mode; black beyond the frame where it is constant.
        """
        colour = self.in_colour(matrix)
        planes = [
            cv2.warpAffine(
                plane,
                where,
                (size, size),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=border,
                borderValue=beyond,
            )
            for plane, where, beyond in ((self._y, matrix, 0.0), (self._u, colour, 128.0), (self._v, colour, 128.0))
        ]
        return self._coloured(*planes)

    @staticmethod
    def in_colour(matrix: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """``(2, 3)``: the same place in the planes of colour, a sample of which lies at the column of the left of its
        pixels and between their rows."""
        placed: npt.NDArray[np.float64] = np.array([[0.5, 0, 0], [0, 0.5, -0.25]]) @ np.vstack([matrix, [0, 0, 1]])
        return placed

    def reduced(self, long_side: int) -> RGB:
        """The whole frame as RGB, its long side at most ``long_side``."""
        rows, columns = self._y.shape
        shrink = min(1.0, long_side / max(rows, columns))
        size = (round(columns * shrink), round(rows * shrink))
        planes = [
            cv2.resize(plane, size, interpolation=cv2.INTER_AREA if plane.shape[0] > size[1] else cv2.INTER_LINEAR)
            for plane in (self._y, self._u, self._v)
        ]
        return self._coloured(*planes)

    def brightness(self, size: tuple[int, int]) -> Plane:
        """``(rows, columns) uint8``: brightness alone, shrunk to ``size`` (columns, rows)."""
        plane: Plane = self._y
        # Halves first: OpenCV has a fast way for those, and averaging over any other area takes four times as long.
        while plane.shape[0] >= 2 * size[1] and plane.shape[1] >= 2 * size[0]:
            half = (plane.shape[1] // 2, plane.shape[0] // 2)
            plane = cv2.resize(plane, half, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        return cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)

    def coarse(self, side: int) -> npt.NDArray[np.float32]:
        """``(side, side) float32``: brightness, 0 to 255, in so few steps that noise and small movements vanish."""
        rows, columns = self._y.shape
        every = max(1, min(rows, columns) // (4 * side))
        small = cv2.resize(np.ascontiguousarray(self._y[::every, ::every]), (side, side), interpolation=cv2.INTER_AREA)
        return small.astype(np.float32)

    def _enlarged(self, plane: Plane) -> Plane:
        rows, columns = self._y.shape
        return cv2.resize(plane, (columns, rows), interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)

    def _coloured(self, *planes: Any) -> RGB:
        return cv2.transform(cv2.merge(planes), self.matrix).astype(np.uint8, copy=False)
