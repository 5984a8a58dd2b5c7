"""The skeleton, the centre of gravity and the holds as strokes on a picture."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Color = tuple[int, int, int]

LEFT: Color = (56, 189, 248)
RIGHT: Color = (251, 146, 60)
MIDDLE: Color = (241, 245, 249)
GRAVITY: Color = (250, 204, 21)
GHOST: Color = (134, 239, 172)
_OUTLINE: Color = (15, 23, 42)

_BONES: tuple[tuple[int, int, Color], ...] = (
    (11, 12, MIDDLE), (23, 24, MIDDLE), (11, 23, LEFT), (12, 24, RIGHT),
    (11, 13, LEFT), (13, 15, LEFT), (15, 19, LEFT), (23, 25, LEFT), (25, 27, LEFT), (27, 29, LEFT), (29, 31, LEFT),
    (27, 31, LEFT),
    (12, 14, RIGHT), (14, 16, RIGHT), (16, 20, RIGHT), (24, 26, RIGHT), (26, 28, RIGHT), (28, 30, RIGHT),
    (30, 32, RIGHT), (28, 32, RIGHT),
)  # fmt: skip
_JOINTS = tuple(range(11, 17)) + tuple(range(23, 29))
_SHIFT = 4  # cv2 draws at 1/16 pixel
UNSURE = 0.4


def stroke_width(width: int, height: int) -> int:
    """A line width in pixels that reads the same on small and large pictures."""
    return max(2, round(max(width, height) / 260))


def draw_skeleton(picture: NDArray[np.uint8], landmarks: Array, ghost: bool = False) -> None:
    """Draw ``(33, 3 or 4)`` landmarks, image coordinates 0 to 1, onto an RGB picture in place.

    Bones with an end of visibility under ``UNSURE`` are thin: there the network guesses.
    """
    height, width = picture.shape[:2]
    thick = stroke_width(width, height)
    points = landmarks[:, :2] * [width, height]
    sure = landmarks[:, 3] >= UNSURE if landmarks.shape[1] > 3 else np.ones(len(landmarks), dtype=bool)
    if not ghost:
        for a, b, _ in _BONES:
            _line(picture, points[a], points[b], _OUTLINE, (thick if sure[a] and sure[b] else thick // 2) + 2)
    for a, b, color in _BONES:
        _line(
            picture,
            points[a],
            points[b],
            GHOST if ghost else color,
            thick if sure[a] and sure[b] else max(thick // 2, 1),
        )
    if ghost:
        return
    head = (points[7] + points[8]) / 2
    neck = (points[11] + points[12]) / 2
    _line(picture, neck, head, _OUTLINE, thick + 2)
    _line(picture, neck, head, MIDDLE, thick)
    for joint in _JOINTS:
        color = LEFT if joint % 2 else RIGHT
        _dot(picture, points[joint], thick * 0.95 + 1, _OUTLINE)
        _dot(picture, points[joint], thick * 0.95, color if sure[joint] else _OUTLINE)


def draw_trail(picture: NDArray[np.uint8], trail: Sequence[Array | None]) -> None:
    """Draw a path of image points (2,), oldest first, that fades with age; None breaks it."""
    height, width = picture.shape[:2]
    thick = stroke_width(width, height)
    count = len(trail)
    for index in range(1, count):
        before, after = trail[index - 1], trail[index]
        if before is None or after is None:
            continue
        share = index / count
        color = tuple(round(channel * (0.35 + 0.65 * share)) for channel in GRAVITY)
        _line(
            picture,
            before * [width, height],
            after * [width, height],
            color,
            max(1, round(thick * (0.3 + 0.6 * share))),
        )
    last = trail[-1] if count else None
    if last is not None:
        _dot(picture, last * [width, height], thick * 1.7 + 1, _OUTLINE)
        _dot(picture, last * [width, height], thick * 1.7, GRAVITY)


def draw_outline(picture: NDArray[np.uint8], corners: Array, color: Color, strong: bool) -> None:
    """Draw a closed polygon (n, 2) in image coordinates."""
    height, width = picture.shape[:2]
    points = np.round(corners * [width, height] * 2**_SHIFT).astype(np.int32)
    thick = stroke_width(width, height)
    cv2.polylines(picture, [points], True, color, max(1, thick // 2 if strong else thick // 4), cv2.LINE_AA, _SHIFT)


def draw_ring(picture: NDArray[np.uint8], place: Array, color: Color) -> None:
    """Mark an active contact at an image point (2,)."""
    height, width = picture.shape[:2]
    thick = stroke_width(width, height)
    center = _fixed(place * [width, height])
    for size, tone in ((thick // 2 + 3, _OUTLINE), (thick // 2 + 1, color)):
        cv2.circle(picture, center, round(thick * 2.6 * 2**_SHIFT), tone, size, cv2.LINE_AA, _SHIFT)


def draw_note(picture: NDArray[np.uint8], text: str) -> None:
    """A short note in the lower left corner."""
    height, width = picture.shape[:2]
    scale = max(width, height) / 1500
    place = (round(0.03 * width), round(height - 0.03 * width))
    for color, thick in ((_OUTLINE, 4), (MIDDLE, 1)):
        cv2.putText(
            picture,
            text,
            place,
            cv2.FONT_HERSHEY_SIMPLEX,
            scale,
            color,
            max(1, round(thick * scale * 1.5)),
            cv2.LINE_AA,
        )


def _fixed(point: Array) -> tuple[int, int]:
    # far outside the picture cv2's fixed-point numbers would overflow
    x, y = np.clip(point, -1e5, 1e5)
    return round(float(x) * 2**_SHIFT), round(float(y) * 2**_SHIFT)


def _line(picture: NDArray[np.uint8], a: Array, b: Array, color: Sequence[int], thick: int) -> None:
    cv2.line(picture, _fixed(a), _fixed(b), tuple(color), thick, cv2.LINE_AA, _SHIFT)


def _dot(picture: NDArray[np.uint8], point: Array, radius: float, color: Color) -> None:
    cv2.circle(picture, _fixed(point), round(radius * 2**_SHIFT), color, -1, cv2.LINE_AA, _SHIFT)
