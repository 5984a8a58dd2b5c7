"""The wall as if nobody had climbed: what most key frames show at each place, bodies left out."""

import cv2
import numpy as np
import numpy.typing as npt

from ascension_vision.camera.registration import centred
from ascension_vision.camera.silhouette import silhouette
from ascension_vision.camera.track import CameraTrack, ReferenceView, apply
from ascension_vision.pose.following import Poses
from ascension_vision.pose.scouting import KeyFrame

Array = npt.NDArray[np.float64]
Image = npt.NDArray[np.uint8]
Seen = npt.NDArray[np.bool_]
Fine = npt.NDArray[np.float32]

# An odd number, so that there is a middle one.
_PICTURES = 11
# So many key frames are considered, this much coarser.
_LOOKED_AT, _COARSE = 150, 8
# How far the view may reach beyond the reference frame on each side, in frames: bounds memory on long pans.
_BEYOND = 1.0
# First what lies well off every body, then whatever is not surely body: clothes, shadows and errors lie between.
_WIDTHS = (1.5, 1.0)


def reference_view(keys: list[KeyFrame], poses: Poses, track: CameraTrack) -> ReferenceView:
    """Lay the key frames whose place is known over each other in reference pixels; the median of each pixel."""
    usable = [key for key in keys if track.known[key.index]]
    if not usable:
        usable = [min(keys, key=lambda key: abs(key.index - track.reference))]
    usable = usable[:: -(-len(usable) // _LOOKED_AT)]
    size = np.array([poses.width, poses.height])
    places = [track.to_reference[key.index] if track.known[key.index] else np.eye(3) for key in usable]
    left, top, columns, rows = _extent(places, size)
    # The pictures are compared at the size at which key frames are kept, and enlarged at the end.
    shrink = 1 / max(1.0, usable[0].scale)
    canvas = (max(1, round(columns * shrink)), max(1, round(rows * shrink)))
    move = np.diag([shrink, shrink, 1.0]) @ np.array([[1.0, 0, -left], [0, 1, -top], [0, 0, 1]])
    moved = [move @ place @ np.diag([key.scale, key.scale, 1.0]) for key, place in zip(usable, places, strict=True)]
    pictures, clear = [], []
    for i in _chosen(usable, poses, moved, canvas):
        image = cv2.warpPerspective(usable[i].image(), centred(moved[i]), canvas, flags=cv2.INTER_LINEAR)
        pictures.append(image.astype(np.uint8, copy=False))
        clear.append([_clear(usable[i], poses, moved[i], canvas, width) for width in _WIDTHS])
    view, seen = _median(pictures, clear)
    if not seen.all():
        view = _filled(view, seen)
    if canvas != (columns, rows):
        view = cv2.resize(view, (columns, rows), interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
        seen = cv2.resize(seen.astype(np.uint8), (columns, rows), interpolation=cv2.INTER_NEAREST).astype(np.bool_)
    return ReferenceView(view, (float(left), float(top)), seen)


def _extent(places: list[Array], size: npt.NDArray[np.int_]) -> tuple[int, int, int, int]:
    """Left, top, columns and rows, in reference pixels, of what the frames at these places show."""
    columns, rows = size
    corners = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float64)
    points = np.concatenate([apply(place, corners) for place in places])
    points = np.clip(points, -_BEYOND * size, (1 + _BEYOND) * size)
    left, top = np.floor(points.min(axis=0)).astype(int)
    right, bottom = np.ceil(points.max(axis=0)).astype(int)
    return int(left), int(top), int(right - left), int(bottom - top)


def _chosen(keys: list[KeyFrame], poses: Poses, moved: list[Array], canvas: tuple[int, int]) -> list[int]:
    """Positions of the key frames that together show every place most often without a body, in order: one after the
    other whichever shows most of what was shown least."""
    small = (max(1, canvas[0] // _COARSE), max(1, canvas[1] // _COARSE))
    shrink = np.diag([1 / _COARSE, 1 / _COARSE, 1.0])
    clear = np.array(
        [
            _clear(key, poses, shrink @ place, small, _WIDTHS[0], _COARSE).ravel()
            for key, place in zip(keys, moved, strict=True)
        ],
        np.float32,
    )
    worth = np.ones(clear.shape[1], np.float32)
    chosen: list[int] = []
    for _ in range(min(_PICTURES, len(keys))):
        gain = clear @ worth
        gain[chosen] = -1
        chosen.append(int(gain.argmax()))
        worth *= 1 - 0.5 * clear[chosen[-1]]
    return sorted(chosen)


def bodies_on(key: KeyFrame, poses: Poses) -> list[Array]:
    """``(33, 2)`` landmarks of everybody on the key frame, the climber as cleaned too, in its pixels."""
    bodies = [np.asarray(person.points[:, :2], np.float64) for person in key.people]
    if poses.seen[key.index]:
        bodies.append(poses.points[key.index, :, :2] / key.scale)
    return bodies


def _clear(key: KeyFrame, poses: Poses, moved: Array, canvas: tuple[int, int], width: float, coarse: int = 1) -> Seen:
    """``(rows, columns)`` of the canvas: where the key frame, that much coarser, shows something and no body."""
    bodies = [points / coarse for points in bodies_on(key, poses)]
    free = cv2.bitwise_not(silhouette(bodies, (key.width // coarse, key.height // coarse), width))
    matrix = centred(moved @ np.diag([coarse, coarse, 1.0]))
    warped = cv2.warpPerspective(free.astype(np.uint8), matrix, canvas, flags=cv2.INTER_LINEAR) > 250
    return np.asarray(warped, np.bool_)


def _median(pictures: list[Image], clear: list[list[Seen]]) -> tuple[Image, Seen]:
    """The median of each pixel over the pictures that are clear there, and where any is.

    A picture that is not clear somewhere borrows what the nearest earlier (for the first: the last) clear one shows, so
    that all pixels have as many values and one sorting network does for all of them: that takes a fiftieth of the time.
    """
    strictly = np.any([strict for strict, _ in clear], axis=0)
    usable = [strict | (loose & ~strictly) for strict, loose in clear]
    borrowed = np.zeros_like(pictures[0])
    for _ in range(2):
        for picture, here in zip(pictures, usable, strict=True):
            cv2.copyTo(picture, here.astype(np.uint8), borrowed)
            cv2.copyTo(borrowed, (~here).astype(np.uint8), picture)
    return _middle(pictures), np.any(usable, axis=0)


def _middle(pictures: list[Image]) -> Image:
    """The median, by odd-even transposition."""
    ordered = list(pictures)
    count = len(ordered)
    for turn in range(count):
        for i in range(turn % 2, count - 1, 2):
            low = cv2.min(ordered[i], ordered[i + 1])
            ordered[i + 1] = cv2.max(ordered[i], ordered[i + 1]).astype(np.uint8, copy=False)
            ordered[i] = low.astype(np.uint8, copy=False)
    return ordered[count // 2]


def _filled(picture: Image, seen: Seen) -> Image:
    """What was never seen, in the colours around it, so that nothing there has an outline: from coarse to fine, each
    time only where the finer picture knows nothing (push-pull, Gortler et al. 1996)."""
    weight: Fine = seen.astype(np.float32)
    color: Fine = picture.astype(np.float32) * weight[..., None]
    levels = [(color, weight)]
    while min(weight.shape) > 4:
        share: Fine = cv2.pyrDown(weight).astype(np.float32)
        weight = (share > 1e-3).astype(np.float32)
        color = (cv2.pyrDown(color) * (weight / np.maximum(share, 1e-6))[..., None]).astype(np.float32)
        levels.append((color, weight))
    filled = levels[-1][0]
    for color, weight in levels[-2::-1]:
        enlarged = cv2.resize(filled, weight.shape[::-1], interpolation=cv2.INTER_LINEAR)
        filled = np.where(weight[..., None] > 0, color, enlarged)
    return np.clip(filled, 0, 255).astype(np.uint8)
