"""Pieces of photos to learn from: at many scales, mirrored, turned, in another light."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from training.holds.photos import Boxes, Photo, Pixels

SIDE = 448
# How long the photo's longer side would be at the crop's scale, pixels.
_SMALLEST, _LARGEST = 560.0, 2000.0
# A box of which less than this is left is no example, and no counter-example either.
_LEFT = 0.4
_ABOUT_ONE, _FITS = 0.6, 0.95


@dataclass(frozen=True)
class Crop:
    """``image`` (SIDE, SIDE, 3) RGB; ``boxes`` (n, 4) in its pixels; ``ignored`` (m, 4): say nothing about these."""

    image: Pixels
    boxes: Boxes
    kinds: npt.NDArray[np.int64]
    ignored: Boxes


def crop(photo: Photo, rng: np.random.Generator) -> Crop:
    """A random piece of a photo."""
    rows, columns = photo.image.shape[:2]
    long_side = np.exp(rng.uniform(np.log(_SMALLEST), np.log(_LARGEST)))
    scale = long_side / max(rows, columns)
    focus = _focus(photo, rng)
    if focus is not None:  # the whole of it should fit
        scale = min(scale, _FITS * SIDE / float((focus[2:] - focus[:2]).max()))
    image, shrink = photo.image, 1.0
    if scale < 0.7:  # averaged first: sampling every third pixel would show T-nuts where there are none
        shrink = scale / 0.9
        image = np.asarray(cv2.resize(image, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8)
    size = np.array([columns, rows]) * scale
    if focus is not None:
        room = np.maximum(SIDE - (focus[2:] - focus[:2]) * scale, 0.2 * SIDE)
        middle = (focus[:2] + focus[2:]) / 2 * scale + rng.uniform(-0.5, 0.5, 2) * room
    else:
        room = np.maximum(size - SIDE, 0.25 * SIDE)
        middle = size / 2 + rng.uniform(-0.5, 0.5, 2) * room
    turn = np.radians(rng.uniform(-5, 5)) if rng.random() < 0.3 else 0.0
    if rng.random() < 0.12:
        turn += np.pi / 2 * rng.integers(1, 4)
    stretch = np.exp(rng.uniform(-0.12, 0.12))
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    cosine, sine = np.cos(turn), np.sin(turn)
    linear = np.array([[cosine, -sine], [sine, cosine]]) @ np.diag([mirror * scale * stretch, scale / stretch])
    move = np.array([SIDE / 2, SIDE / 2]) - linear @ (middle / scale)
    border = [int(value) for value in rng.integers(0, 256, 3)] if rng.random() < 0.5 else [0, 0, 0]
    picture = cv2.warpAffine(
        image, np.column_stack([linear / shrink, move]), (SIDE, SIDE), flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT, borderValue=border,
    )  # fmt: skip
    boxes = _carried(photo.boxes, linear, move)
    clipped = np.clip(boxes, 0, SIDE)
    left = _area(clipped) / np.maximum(_area(boxes), 1e-6)
    small = np.minimum(clipped[:, 2] - clipped[:, 0], clipped[:, 3] - clipped[:, 1]) < 3
    kept = (left >= _LEFT) & ~small
    return Crop(
        relit(np.asarray(picture, np.uint8), rng),
        clipped[kept],
        photo.kinds[kept],
        clipped[~kept & (_area(clipped) > 0)],
    )


def _focus(photo: Photo, rng: np.random.Generator) -> Boxes | None:
    """The box ``(4,)`` that the crop is about, so that photos with few of them are not mostly empty wall; or None.

    Volumes are a tenth of all boxes: they get half of these crops in the photos that have some.
    """
    if not len(photo.boxes) or rng.random() >= _ABOUT_ONE:
        return None
    volumes = np.nonzero(photo.kinds == 1)[0]
    some = volumes if len(volumes) and rng.random() < 1 / 2 else np.arange(len(photo.boxes))
    return np.asarray(photo.boxes[some[rng.integers(len(some))]])


def _carried(boxes: Boxes, linear: npt.NDArray[np.float64], move: npt.NDArray[np.float64]) -> Boxes:
    """Boxes around the ellipses that were in ``boxes``: holds are round, and turned boxes too wide."""
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2 @ linear.T + move
    half = np.sqrt(((boxes[:, 2:] - boxes[:, :2]) / 2) ** 2 @ (linear**2).T)
    return np.asarray(np.concatenate([middle - half, middle + half], axis=1), np.float32)


def _area(boxes: Boxes) -> npt.NDArray[np.float32]:
    sides = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None)
    return np.asarray(sides[:, 0] * sides[:, 1], np.float32)


def relit(image: Pixels, rng: np.random.Generator) -> Pixels:
    """The same picture under another lamp, through another lens, out of another encoder."""
    x = image.astype(np.float32)
    if rng.random() < 0.5:
        # Volumes wear the colours of their gym: those of other gyms must not matter.
        shift, more = rng.uniform(-25, 25) if rng.random() < 0.5 else rng.uniform(-90, 90), rng.uniform(0.6, 1.4)
        hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV).astype(np.float32)
        hsv[..., 0] = (hsv[..., 0] + shift) % 180
        hsv[..., 1] = np.clip(hsv[..., 1] * more, 0, 255)
        x = cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB).astype(np.float32)
    elif rng.random() < 0.1:
        x = np.repeat(x @ np.array([[0.299], [0.587], [0.114]], np.float32), 3, axis=2)
    if rng.random() < 0.7:
        gain = rng.uniform(0.65, 1.4) * np.exp(rng.normal(0, 0.06, 3))
        x = (x - 127) * rng.uniform(0.75, 1.25) + 127
        x = x * gain.astype(np.float32) + rng.uniform(-15, 15)
    if rng.random() < 0.15:
        x = np.asarray(cv2.GaussianBlur(x, (0, 0), rng.uniform(0.5, 1.4)), np.float32)
    if rng.random() < 0.25:
        x = x + rng.standard_normal(x.shape, dtype=np.float32) * rng.uniform(2, 10)
    out = np.asarray(np.clip(x, 0, 255), np.uint8)
    if rng.random() < 0.15:
        _, coded = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 85))])
        out = np.asarray(cv2.imdecode(coded, cv2.IMREAD_UNCHANGED), np.uint8)
    return out
