"""A hold's outline and its colour, from the pixels in its box and of the wall around it.

The wall's colours are what lies around the box; the hold is what in the box is unlike all of them and belongs to its
middle. Where that makes no sensible shape, a grey hold on a grey wall say, the outline is the box's ellipse.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ascension_vision.holds.colour import name_of
from ascension_vision.holds.correction import ellipse

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.uint8]

# The box is looked at in this many pixels along its longer side, with half as much wall around it.
_SIDE = 56
_AROUND = 0.28
_WALL_COLORS = 4
# A shape is believed if it fills the box about as much as a round thing does.
_LEAST_FILLED, _LEAST_SIDE = 0.33, 0.6
# CIE Lab units: less than this apart, a pixel is the wall's.
_LEAST_APART, _MOST_APART = 6.0, 26.0
_FINEST = 0.02


@dataclass(frozen=True)
class Look:
    """``outline`` (n, 2) pixels of the image, whether it was ``seen`` or is the box's ellipse, the colour's name."""

    outline: Array
    seen: bool
    color: str | None


def outlined(image: npt.NDArray[np.uint8], boxes: Array) -> list[Look]:
    """Every box's outline and colour. ``image`` (rows, columns, 3) RGB, ``boxes`` (n, 4) in its pixels."""
    margin = _AROUND * (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0) + 3
    low, high = boxes[:, :2] - margin[:, None], boxes[:, 2:] + margin[:, None]
    near = ((boxes[None, :, :2] < high[:, None]) & (boxes[None, :, 2:] > low[:, None])).all(-1)
    np.fill_diagonal(near, False)
    return [_look(image, box, boxes[near[i]]) for i, box in enumerate(boxes)]


def _look(image: npt.NDArray[np.uint8], box: Array, others: Array) -> Look:
    rows, columns = image.shape[:2]
    size = np.maximum(box[2:] - box[:2], 1)
    margin = _AROUND * size.max() + 2
    left, top = np.maximum(np.floor(box[:2] - margin), 0).astype(int)
    right, bottom = np.minimum(np.ceil(box[2:] + margin), [columns, rows]).astype(int)
    if right - left < 3 or bottom - top < 3:
        return Look(ellipse(_tuple(box)), False, None)
    scale = min(1.0, _SIDE / float(size.max()))
    piece = image[top:bottom, left:right]
    shape = (max(3, round((right - left) * scale)), max(3, round((bottom - top) * scale)))
    small = cv2.resize(piece, shape, interpolation=cv2.INTER_AREA)
    ratio = np.array([shape[0] / (right - left), shape[1] / (bottom - top)])
    lab = np.asarray(cv2.cvtColor(np.asarray(small, np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)

    def moved(corners: Array) -> Array:
        return np.asarray((corners.reshape(-1, 2) - [left, top]) * ratio)

    inner = _filled(shape, moved(box))
    outside = inner == 0
    for other in others:
        covered = (other[:2] <= box[:2] + 0.2 * size).all() and (other[2:] >= box[2:] - 0.2 * size).all()
        if not covered:  # a volume that carries the hold is its wall
            outside &= _filled(shape, moved(other)) == 0
    around = lab[outside]
    shapes = _round(shape, moved(box))
    if len(around) < 12:
        return Look(ellipse(_tuple(box)), False, name_of(lab[shapes > 0], np.zeros((0, 3), np.float32)))
    wall = _palette(around)
    apart = np.sqrt(((lab[..., None, :] - wall) ** 2 * [0.45, 1.0, 1.0]).sum(-1)).min(-1)
    mask = _shape(apart, inner, shapes, apart[outside])
    if mask is None:
        return Look(ellipse(_tuple(box)), False, name_of(lab[shapes > 0], wall))
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    contour = max(contours, key=cv2.contourArea)
    simple = cv2.approxPolyDP(contour, _FINEST * max(shape), True)[:, 0].astype(np.float64)
    if len(simple) < 4:
        simple = contour[:, 0].astype(np.float64)
    outline = np.clip((simple + 0.5) / ratio + [left, top], box[:2], box[2:])
    return Look(outline, True, name_of(lab[mask > 0], wall))


def _shape(apart: npt.NDArray[np.float32], inner: Mask, shapes: Mask, wall: npt.NDArray[np.float32]) -> Mask | None:
    """The pixels of the hold, or None where no sensible shape sticks out."""
    within = apart[inner > 0]
    levels = np.clip(within * 4, 0, 255).astype(np.uint8)
    split, _ = cv2.threshold(levels.reshape(-1, 1), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    noise = float(np.quantile(wall, 0.9))
    least = float(np.clip(min(split / 4, _MOST_APART), max(_LEAST_APART, noise), 60))
    mask = ((apart > least) & (inner > 0)).astype(np.uint8)
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)), np.uint8)
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    if count < 2:
        return None
    # the part with most of the box's middle
    share = np.bincount(labels[shapes > 0].ravel(), minlength=count)
    share[0] = 0
    best = int(share.argmax())
    filled = stats[best, cv2.CC_STAT_AREA] / max(int(inner.sum()), 1)
    rows, columns = np.nonzero(inner)
    wide = stats[best, cv2.CC_STAT_WIDTH] / (np.ptp(columns) + 1)
    high = stats[best, cv2.CC_STAT_HEIGHT] / (np.ptp(rows) + 1)
    if filled < _LEAST_FILLED or min(wide, high) < _LEAST_SIDE:
        return None
    whole = (labels == best).astype(np.uint8)
    contours, _ = cv2.findContours(whole, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(whole, contours, -1, 1, -1), np.uint8)


def _palette(pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The wall's main colours ``(k, 3)``, Lab: light and shadow, two paints."""
    data = np.ascontiguousarray(pixels[:: max(1, len(pixels) // 400)], np.float32)
    count = min(_WALL_COLORS, len(data))
    cv2.setRNGSeed(0)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_MAX_ITER, 8, 1.0)
    labels = np.zeros((len(data), 1), np.int32)
    _, nearest, centers = cv2.kmeans(data, count, labels, criteria, 1, cv2.KMEANS_PP_CENTERS)
    share = np.bincount(np.asarray(nearest, np.int64).ravel(), minlength=count) / len(data)
    return np.asarray(centers[share >= 0.08], np.float32)


def _filled(shape: tuple[int, int], corners: Array) -> Mask:
    mask = np.zeros(shape[::-1], np.uint8)
    (x0, y0), (x1, y1) = np.round(corners).astype(int)
    mask[max(y0, 0) : max(y1, y0 + 1), max(x0, 0) : max(x1, x0 + 1)] = 1
    return mask


def _round(shape: tuple[int, int], corners: Array) -> Mask:
    """The box's inner ellipse, half as large."""
    mask = np.zeros(shape[::-1], np.uint8)
    middle, radius = corners.mean(axis=0), (corners[1] - corners[0]) / 2 * 0.7
    cv2.ellipse(mask, tuple(map(int, np.round(middle))), tuple(map(int, np.maximum(np.round(radius), 1))),
                0, 0, 360, 1, -1)  # fmt: skip
    return mask


def _tuple(box: Array) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = (float(value) for value in box)
    return x0, y0, x1, y1
