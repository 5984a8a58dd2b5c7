"""The skeleton, the Ghost and the centre of gravity's trail as strokes on a picture."""

from collections.abc import Sequence
from itertools import pairwise

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
OUTLINE: Color = (15, 23, 42)
LIMB_COLORS: dict[str, Color] = {
    "left_hand": LEFT,
    "right_hand": RIGHT,
    "left_foot": (129, 140, 248),
    "right_foot": (244, 114, 182),
}

_BONES: tuple[tuple[int, int, Color], ...] = (
    (11, 12, MIDDLE), (23, 24, MIDDLE), (11, 23, LEFT), (12, 24, RIGHT),
    (11, 13, LEFT), (13, 15, LEFT), (15, 19, LEFT), (23, 25, LEFT), (25, 27, LEFT), (27, 29, LEFT), (29, 31, LEFT),
    (27, 31, LEFT),
    (12, 14, RIGHT), (14, 16, RIGHT), (16, 20, RIGHT), (24, 26, RIGHT), (26, 28, RIGHT), (28, 30, RIGHT),
    (30, 32, RIGHT), (28, 32, RIGHT),
)  # fmt: skip
_JOINTS = tuple(range(11, 17)) + tuple(range(23, 29))
# Chains of landmarks and how thick they are, in lengths of the torso.
_GIRTHS = (
    ((11, 13, 15, 19), 0.16), ((12, 14, 16, 20), 0.16), ((23, 25, 27, 31), 0.22), ((24, 26, 28, 32), 0.22),
    ((11, 12), 0.2), ((23, 24), 0.26),
)  # fmt: skip
_GHOST_OPACITY = 0.42
_SHIFT = 4  # cv2 draws at 1/16 pixel
UNSURE = 0.4


def stroke_width(width: int, height: int) -> int:
    """A line width in pixels that reads the same on small and large pictures."""
    return max(2, round(max(width, height) / 260))


def draw_skeleton(picture: NDArray[np.uint8], landmarks: Array) -> None:
    """Draw ``(33, 3 or 4)`` landmarks, image coordinates 0 to 1, onto an RGB picture in place.

    Bones with an end of visibility under ``UNSURE`` are thin: there the network guesses.
    """
    height, width = picture.shape[:2]
    thick = stroke_width(width, height)
    points = landmarks[:, :2] * [width, height]
    sure = landmarks[:, 3] >= UNSURE if landmarks.shape[1] > 3 else np.ones(len(landmarks), dtype=bool)
    for a, b, _ in _BONES:
        line(picture, points[a], points[b], OUTLINE, (thick if sure[a] and sure[b] else thick // 2) + 2)
    for a, b, color in _BONES:
        line(picture, points[a], points[b], color, thick if sure[a] and sure[b] else max(thick // 2, 1))
    head = (points[7] + points[8]) / 2
    neck = (points[11] + points[12]) / 2
    line(picture, neck, head, OUTLINE, thick + 2)
    line(picture, neck, head, MIDDLE, thick)
    for joint in _JOINTS:
        color = LEFT if joint % 2 else RIGHT
        dot(picture, points[joint], thick * 0.95 + 1, OUTLINE)
        dot(picture, points[joint], thick * 0.95, color if sure[joint] else OUTLINE)


def draw_ghost(picture: NDArray[np.uint8], landmarks: Array) -> None:
    """Draw the Ghost as a translucent figure with the girth of a body, unlike the skeleton; in place."""
    height, width = picture.shape[:2]
    points = landmarks[:, :2] * [width, height]
    middles = [(points[a] + points[b]) / 2 for a, b in ((11, 12), (23, 24))]
    torso = float(np.linalg.norm(middles[0] - middles[1]))
    room = 0.5 * torso + 4
    (x0, y0), (x1, y1) = points.min(axis=0) - room, points.max(axis=0) + room
    x0, x1 = int(np.clip(x0, 0, width)), int(np.clip(np.ceil(x1), 0, width))
    y0, y1 = int(np.clip(y0, 0, height)), int(np.clip(np.ceil(y1), 0, height))
    if x1 <= x0 or y1 <= y0 or not np.isfinite(points).all():
        return
    figure = np.zeros((y1 - y0, x1 - x0), dtype=np.uint8)
    local = points - (x0, y0)
    trunk = np.round(local[[11, 12, 24, 23]] * 2**_SHIFT).astype(np.int32)
    cv2.fillConvexPoly(figure, cv2.convexHull(trunk), 255, cv2.LINE_AA, _SHIFT)
    for chain, girth in _GIRTHS:
        for a, b in pairwise(chain):
            cv2.line(figure, _fixed(local[a]), _fixed(local[b]), 255, max(2, round(girth * torso)), cv2.LINE_AA, _SHIFT)
    head = (local[7] + local[8]) / 2
    cv2.circle(figure, _fixed(head), round(0.19 * torso * 2**_SHIFT), 255, -1, cv2.LINE_AA, _SHIFT)
    inside = figure[..., None].astype(np.float32) / 255
    under = picture[y0:y1, x0:x1]
    mixed = under * (1 - _GHOST_OPACITY * inside) + np.array(GHOST, dtype=np.float32) * (_GHOST_OPACITY * inside)
    under[...] = mixed.astype(np.uint8)
    edges, _ = cv2.findContours((figure > 127).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(under, edges, -1, GHOST, max(1, stroke_width(width, height) // 3), cv2.LINE_AA)


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
        line(
            picture,
            before * [width, height],
            after * [width, height],
            color,
            max(1, round(thick * (0.3 + 0.6 * share))),
        )
    last = trail[-1] if count else None
    if last is not None:
        dot(picture, last * [width, height], thick * 1.7 + 1, OUTLINE)
        dot(picture, last * [width, height], thick * 1.7, GRAVITY)


def draw_note(picture: NDArray[np.uint8], text: str) -> None:
    """A short note in the lower left corner."""
    height, width = picture.shape[:2]
    scale = max(width, height) / 1500
    place = (round(0.03 * width), round(height - 0.03 * width))
    for color, thick in ((OUTLINE, 4), (MIDDLE, 1)):
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


def ring(picture: NDArray[np.uint8], center: Array, radius: float, color: Color, thick: int) -> None:
    """A circle about a point, pixels."""
    for size, tone in ((thick + 2, OUTLINE), (thick, color)):
        cv2.circle(picture, _fixed(center), round(radius * 2**_SHIFT), tone, size, cv2.LINE_AA, _SHIFT)


def polygon(picture: NDArray[np.uint8], corners: Array, color: Color, thick: int, dashed: bool = False) -> None:
    """A closed line through points (n, 2), pixels; ``dashed``: every other side of it."""
    points = np.round(np.clip(corners, -1e5, 1e5) * 2**_SHIFT).astype(np.int32)
    sides = np.stack([points, np.roll(points, -1, axis=0)], axis=1)
    lines = list(sides[::2]) if dashed else [points]
    cv2.polylines(picture, lines, not dashed, color, thick, cv2.LINE_AA, _SHIFT)


def label(picture: NDArray[np.uint8], text: str, place: Array, share: float) -> None:
    """Words about a point, pixels; ``share`` of the picture's long side is how tall a line is, about."""
    scale = max(picture.shape[:2]) * share / 22
    thick = max(1, round(1.5 * scale))
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thick)
    corner = (round(float(place[0]) - width / 2), round(float(place[1]) + height / 2))
    for color, extra in ((OUTLINE, 2 * thick + 1), (MIDDLE, 0)):
        cv2.putText(picture, text, corner, cv2.FONT_HERSHEY_SIMPLEX, scale, color, thick + extra, cv2.LINE_AA)


def _fixed(point: Array) -> tuple[int, int]:
    # far outside the picture cv2's fixed-point numbers would overflow
    x, y = np.clip(point, -1e5, 1e5)
    return round(float(x) * 2**_SHIFT), round(float(y) * 2**_SHIFT)


def line(picture: NDArray[np.uint8], a: Array, b: Array, color: Sequence[int], thick: int) -> None:
    """A stroke between two points, pixels."""
    cv2.line(picture, _fixed(a), _fixed(b), tuple(color), thick, cv2.LINE_AA, _SHIFT)


def dot(picture: NDArray[np.uint8], point: Array, radius: float, color: Color) -> None:
    """A disc about a point, pixels."""
    cv2.circle(picture, _fixed(point), round(radius * 2**_SHIFT), color, -1, cv2.LINE_AA, _SHIFT)
