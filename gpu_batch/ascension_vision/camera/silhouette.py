"""Where bodies hide the wall: what moves there says nothing about the camera."""

from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.uint8]

_TRUNK = (11, 12, 24, 23)
# Radii in torso lengths, clothes included; hands and feet closely, for what they hold shows around them.
_BONES = (
    (11, 13, 0.20), (13, 15, 0.17), (12, 14, 0.20), (14, 16, 0.17), (23, 25, 0.25), (25, 27, 0.20), (24, 26, 0.25),
    (26, 28, 0.20), (11, 12, 0.22), (23, 24, 0.25), (11, 23, 0.22), (12, 24, 0.22), (27, 31, 0.14), (28, 32, 0.14),
    (15, 19, 0.11), (16, 20, 0.11), (27, 29, 0.14), (28, 30, 0.14),
)  # fmt: skip
# What lies farther off, in pixels, is drawn there.
_FARTHEST = 20000
_HEAD = ((0, 0.34), (7, 0.32), (8, 0.32))


def silhouette(bodies: Iterable[npt.NDArray[Any]], size: tuple[int, int], width: float = 1.0) -> Mask:
    """``(rows, columns)`` 255 where a body is, 0 elsewhere.

    Args:
        bodies: each ``(33, ≥ 2)`` landmarks in pixels of the mask; those with NaN are left out.
        size: columns, rows.
        width: 1 covers flesh and wide clothes; more adds to it, less covers what is surely body.
    """
    mask = np.zeros(size[::-1], np.uint8)
    for body in bodies:
        xy = np.asarray(body[:, :2], np.float64)
        if not np.isfinite(xy).all():
            continue
        torso = width * body_length(xy)
        places = np.clip(np.round(xy), -_FARTHEST, _FARTHEST).astype(np.int32)
        cv2.fillConvexPoly(mask, cv2.convexHull(places[list(_TRUNK)]), 255)
        points = places.tolist()
        for start, end, radius in _BONES:
            cv2.line(mask, points[start], points[end], 255, max(1, round(2 * radius * torso)))
        for landmark, radius in _HEAD:
            cv2.circle(mask, points[landmark], max(1, round(radius * torso)), 255, -1)
    return mask


def body_length(xy: Array) -> float:
    """The torso's length in pixels, which leaning towards the camera shortens less than the trunk itself."""
    trunk = np.linalg.norm(xy[[11, 12]].mean(axis=0) - xy[[23, 24]].mean(axis=0))
    thighs = np.linalg.norm(xy[[23, 24]] - xy[[25, 26]], axis=1).max()
    shoulders = np.linalg.norm(xy[11] - xy[12])
    return float(max(trunk, 0.8 * thighs, 1.2 * shoulders, 1.0))


def outside(mask: Mask, points: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """``(n,)``: whether each of ``(n, 2)`` points lies within the picture and off the bodies."""
    rows, columns = mask.shape
    finite = np.isfinite(points).all(axis=1)
    x, y = np.where(finite[:, None], points, -1.0).astype(np.intp).T
    within: npt.NDArray[np.bool_] = finite & (x >= 0) & (y >= 0) & (x < columns) & (y < rows)
    found = np.flatnonzero(within)
    within[found] = mask[y[found], x[found]] == 0
    return within
