"""What somebody wears, as a histogram of colours: enough to know a person again after a cut."""

import cv2
import numpy as np
import numpy.typing as npt

from ascension_vision.pose.model import Landmarks
from ascension_vision.pose.roi import Image

Array = npt.NDArray[np.float64]

_TRUNK = [11, 12, 24, 23]
_THIGHS = ([23, 25], [24, 26])
_BINS = [4, 12, 12]


def colours(image: Image, person: Landmarks) -> Array:
    """``(576,)``, sums to one: CIE Lab colours of the trunk and the thighs. ``image`` is RGB."""
    mask = np.zeros(image.shape[:2], np.uint8)
    trunk = person.points[_TRUNK, :2]
    width = max(2, int(0.12 * np.linalg.norm(trunk[:2].mean(axis=0) - trunk[2:].mean(axis=0))))
    cv2.fillConvexPoly(mask, cv2.convexHull(trunk.astype(np.int32)), 255)
    for ends in _THIGHS:
        hip, knee = (tuple(int(value) for value in person.points[end, :2]) for end in ends)
        cv2.line(mask, hip, knee, 255, width)
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    histogram = cv2.calcHist([lab], [0, 1, 2], mask, _BINS, [0, 256, 68, 188, 68, 188])
    counts = histogram.ravel().astype(np.float64)
    return np.asarray(counts / max(counts.sum(), 1e-9))


def likeness(one: Array, other: Array) -> float:
    """0 to 1: Bhattacharyya's coefficient of two histograms."""
    return float(np.sqrt(one * other).sum())
