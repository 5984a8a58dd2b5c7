"""Holds without learning: what is coloured unlike the wall about it, in connected pieces."""

import cv2
import numpy as np
import numpy.typing as npt
from ascension_vision.holds.boxes import Boxes

_LONG_SIDE = 800
# The wall is the picture without what is smaller than this share of its longer side.
_WALL = 0.12
_SMALLEST, _LARGEST = 0.00004, 0.15
# Pieces larger than this share of the picture are called volumes.
_VOLUME = 0.008


def find(image: npt.NDArray[np.uint8]) -> Boxes:
    """Boxes in the RGB image's pixels; the score is the mean distance in colour, as a share of the largest."""
    scale = _LONG_SIDE / max(image.shape[:2])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    lab = np.asarray(cv2.cvtColor(np.asarray(small, np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
    wall = cv2.GaussianBlur(lab, (0, 0), _WALL * _LONG_SIDE / 2)
    apart = np.asarray(cv2.GaussianBlur(np.linalg.norm(lab - wall, axis=-1), (0, 0), 1.2), np.float32)
    level, _ = cv2.threshold(np.clip(apart * 2, 0, 255).astype(np.uint8), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    mask = (apart * 2 > level).astype(np.uint8)
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    total = np.bincount(labels.ravel(), apart.ravel(), minlength=count)
    boxes, scores, kinds = [], [], []
    for number in range(1, count):
        x, y, width, height, area = (int(v) for v in stats[number])
        share = area / mask.size
        if _SMALLEST <= share <= _LARGEST:
            boxes.append(np.array([x, y, x + width, y + height]) / scale)
            scores.append(min(1.0, total[number] / area / 100))
            kinds.append(int(share > _VOLUME))
    return Boxes(np.array(boxes).reshape(-1, 4), np.array(scores), np.array(kinds, np.int64))
