"""From followed spots to the camera's movement.

Within a shot, neighbouring key frames are joined by homographies of the spots that lie on no body; what such a chain
loses on the way is won back by comparing every key frame with an anchor, a key frame that shows the same part of the
wall and is placed already. Frames between two key frames are placed from both sides.
"""

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ascension_vision.camera.silhouette import Mask, outside, silhouette
from ascension_vision.camera.track import CameraTrack, apply
from ascension_vision.camera.watcher import CameraWatcher, Gray, Spots, corners, track
from ascension_vision.pose.following import Poses
from ascension_vision.pose.scouting import KeyFrame

Array = npt.NDArray[np.float64]

# Pixels of the small picture: how far from the common movement a spot may be, and what is no movement at all.
_TOLERANCE = 1.2
_STILL, _STILL_EVER = 0.3, 0.6
_MIN_SPOTS, _MIN_SHARE = 12, 0.4
_ANCHOR_SHARE = 0.3
# Fewer spots, or spots within less of the picture, say too little for a homography: then it is a similarity.
_PLENTY, _WIDE = 30, 0.15
_NEW_ANCHOR_OVERLAP = 0.6
_SIFT_SPOTS, _SIFT_RATIO, _SIFT_INLIERS = 800, 0.75, 25
_BODY_SECONDS = 1.0


def register(watcher: CameraWatcher, keys: list[KeyFrame], poses: Poses) -> CameraTrack:
    """The camera's movement over all frames.

    Args:
        watcher: saw every frame of the clip.
        keys: the same key frames as the watcher's; their people hide the wall.
        poses: the climber's.
    """
    return _Registration(watcher, keys, poses).track()


@dataclass
class _Anchor:
    gray: Gray
    spots: Spots
    place: Array


@dataclass
class _Registration:
    watcher: CameraWatcher
    keys: list[KeyFrame]
    poses: Poses
    masks: dict[int, Mask] = field(default_factory=dict)
    anchors: list[_Anchor] = field(default_factory=list)

    def track(self) -> CameraTrack:
        sights = self.watcher.sights
        steps = [self._step(index) for index in range(len(self.watcher.base))]
        groups = self._groups(steps)
        main = max(groups, key=lambda group: self._frames_climbed(group))
        placed: list[Array | None] = [None] * len(sights)
        if self._is_still(main, steps):
            for k in main:
                placed[k] = np.eye(3)
            reference = main[0]
            self.anchors = [self._anchor(reference, np.eye(3))]
        else:
            reference = self._middle(main, steps)
            self._place(main, reference, np.eye(3), steps, placed)
        for group in groups:
            if group is not main:
                self._place_elsewhere(group, steps, placed)
        known = [place for place in placed if place is not None]
        still = all(np.array_equal(place, np.eye(3)) for place in known)
        return CameraTrack(self._all_frames(placed, steps, still), sights[reference].frame, still)

    # --- what is seen -------------------------------------------------------------------------------------------------

    def _key_mask(self, k: int) -> Mask:
        if k not in self.masks:
            self.masks[k] = self._mask(self.watcher.sights[k].frame, k)
        return self.masks[k]

    def _mask(self, frame: int, k: int) -> Mask:
        """Bodies on a frame, in the small picture; people other than the climber as on the key frame ``k``."""
        key = self.keys[k]
        bodies = [person.points * key.scale for person in key.people]
        bodies.append(self._climber(frame))
        return silhouette([body / self.watcher.scale for body in bodies], self.watcher.size, 1.2)

    def _climber(self, frame: int) -> Array:
        seen = np.flatnonzero(self.poses.seen)
        if len(seen):
            nearest = int(seen[np.abs(seen - frame).argmin()])
            if abs(self.poses.t[nearest] - self.poses.t[frame]) <= _BODY_SECONDS:
                body: Array = self.poses.points[nearest]
                return body
        return np.full((33, 3), np.nan)

    def _step(self, index: int) -> Array | None:
        """From a frame to the key frame before it; None where that cannot be told."""
        base, spots = self.watcher.base[index], self.watcher.spots[index]
        if base < 0 or not len(spots):
            return None
        there = outside(self._key_mask(base), spots[:, 0])
        here = outside(self._mask(index, min(base + 1, len(self.keys) - 1)), spots[:, 1])
        on_wall = spots[there & here]
        return fit(on_wall[:, 1], on_wall[:, 0], self.watcher.size, _MIN_SHARE)

    def _groups(self, steps: list[Array | None]) -> list[list[int]]:
        """Runs of key frames that are joined by steps."""
        sights = self.watcher.sights
        groups = [[0]]
        for k in range(1, len(sights)):
            if sights[k].shot == sights[k - 1].shot and steps[sights[k].frame] is not None:
                groups[-1].append(k)
            else:
                groups.append([k])
        return groups

    def _frames_climbed(self, group: list[int]) -> int:
        first, last = self.watcher.sights[group[0]].frame, self.watcher.sights[group[-1]].frame
        return int(self.poses.seen[first : last + 1].sum())

    # --- a camera that stands still -----------------------------------------------------------------------------------

    def _is_still(self, group: list[int], steps: list[Array | None]) -> bool:
        sights = self.watcher.sights
        first = sights[group[0]].frame
        moved = [self._moved(steps[index]) for index in range(first + 1, sights[group[-1]].frame + 1)]
        if moved and np.quantile(moved, 0.98) > _STILL_EVER:
            return False
        start = self._anchor(group[0], np.eye(3))
        for k in {group[round(share * (len(group) - 1))] for share in np.linspace(0, 1, 9)} - {group[0]}:
            found = self._compare(start, k, np.eye(3))
            if found is None or self._moved(found) > _STILL:
                return False
        return True

    def _moved(self, step: Array | None) -> float:
        """Pixels of the small picture by which the middle half of the frame moves, at most."""
        if step is None:
            return 0.0
        columns, rows = self.watcher.size
        quarters = np.array([[x * columns, y * rows] for x in (0.25, 0.75) for y in (0.25, 0.75)])
        return float(np.linalg.norm(apply(step, quarters) - quarters, axis=1).max())

    # --- a camera that moves ------------------------------------------------------------------------------------------

    def _middle(self, group: list[int], steps: list[Array | None]) -> int:
        """The key frame whose view is most in the middle of all."""
        centre = np.array([self.watcher.size]) / 2
        place, centres = np.eye(3), [centre]
        for k in group[1:]:
            step = steps[self.watcher.sights[k].frame]
            assert step is not None
            place = _scaled(place @ step)
            centres.append(apply(place, centre))
        views = np.concatenate(centres)
        return group[int(np.linalg.norm(views - np.median(views, axis=0), axis=1).argmin())]

    def _place(
        self, group: list[int], start: int, place: Array, steps: list[Array | None], placed: list[Array | None]
    ) -> None:
        """Place the key frames of a group, of which ``start`` is at ``place``, forwards and backwards from there."""
        placed[start] = place
        self.anchors.append(self._anchor(start, place))
        position = group.index(start)
        for k in group[position + 1 :]:
            before, step = placed[k - 1], steps[self.watcher.sights[k].frame]
            assert before is not None
            assert step is not None
            placed[k] = self._against_anchor(k, _scaled(before @ step))
        for k in group[:position][::-1]:
            after, step = placed[k + 1], steps[self.watcher.sights[k + 1].frame]
            assert after is not None
            assert step is not None
            placed[k] = self._against_anchor(k, _scaled(after @ np.linalg.inv(step)))

    def _against_anchor(self, k: int, guess: Array) -> Array:
        anchor = max(self.anchors, key=lambda anchor: self._overlap(anchor, guess))
        overlap = self._overlap(anchor, guess)
        found = self._compare(anchor, k, np.linalg.inv(anchor.place) @ guess)
        place = guess if found is None else _scaled(anchor.place @ found)
        if overlap < _NEW_ANCHOR_OVERLAP:
            self.anchors.append(self._anchor(k, place))
        return place

    def _overlap(self, anchor: _Anchor, place: Array) -> float:
        """The share of the frame at ``place`` that the anchor shows."""
        columns, rows = self.watcher.size
        x, y = np.meshgrid(np.linspace(0, columns, 9), np.linspace(0, rows, 9))
        there = apply(np.linalg.inv(anchor.place) @ place, np.column_stack([x.ravel(), y.ravel()]))
        return float(((there >= 0) & (there <= [columns, rows])).all(axis=1).mean())

    def _anchor(self, k: int, place: Array) -> _Anchor:
        gray = self.watcher.sights[k].gray()
        mask = cv2.bitwise_not(self._key_mask(k)).astype(np.uint8, copy=False)
        return _Anchor(gray, corners(gray, mask), place)

    def _compare(self, anchor: _Anchor, k: int, guess: Array) -> Array | None:
        """From the key frame ``k`` to the anchor, near ``guess``: the anchor is shown as the key frame should look, and
        its spots are followed from there."""
        if not len(anchor.spots):
            return None
        to_key = np.asarray(np.linalg.inv(guess), np.float64)
        gray = self.watcher.sights[k].gray()
        expected = cv2.warpPerspective(
            anchor.gray, centred(to_key), self.watcher.size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        ).astype(np.uint8, copy=False)
        origin = anchor.spots.astype(np.float64) + 0.5
        start = apply(to_key, origin)
        columns, rows = self.watcher.size
        clear = outside(self._key_mask(k), start)
        clear &= (start >= 6).all(axis=1) & (start < [columns - 6, rows - 6]).all(axis=1)
        if clear.sum() < _MIN_SPOTS:
            return None
        moved, found = track(expected, gray, (start[clear] - 0.5).astype(np.float32))
        return fit(moved[found] + 0.5, origin[clear][found], self.watcher.size, _ANCHOR_SHARE)

    # --- other shots --------------------------------------------------------------------------------------------------

    def _place_elsewhere(self, group: list[int], steps: list[Array | None], placed: list[Array | None]) -> None:
        """Place key frames that no steps join to the reference, where they show the same wall."""
        first = self._compare(self.anchors[0], group[0], np.eye(3))
        if first is not None and self._moved(first) < _STILL and self._is_still(group, steps):
            for k in group:
                placed[k] = self.anchors[0].place
            return
        for k in sorted({group[0], group[len(group) // 2], group[-1]}):
            for anchor in self.anchors[:3]:
                found = self._recognise(anchor, k)
                if found is not None:
                    self._place(group, k, _scaled(anchor.place @ found), steps, placed)
                    return

    def _recognise(self, anchor: _Anchor, k: int) -> Array | None:
        """From the key frame ``k`` to the anchor with nothing known before (Lowe 2004, SIFT)."""
        sift = cv2.SIFT.create(_SIFT_SPOTS)
        other = self.watcher.sights[k].gray()
        free = cv2.bitwise_not(self._key_mask(k))
        there, there_looks = sift.detectAndCompute(anchor.gray, None)
        here, here_looks = sift.detectAndCompute(other, free)
        if there_looks is None or here_looks is None or min(len(there), len(here)) < _SIFT_INLIERS:
            return None
        pairs = cv2.BFMatcher().knnMatch(here_looks, there_looks, k=2)
        good = [pair[0] for pair in pairs if len(pair) == 2 and pair[0].distance < _SIFT_RATIO * pair[1].distance]
        if len(good) < _SIFT_INLIERS:
            return None
        source = np.array([here[match.queryIdx].pt for match in good], np.float32) + np.float32(0.5)
        target = np.array([there[match.trainIdx].pt for match in good], np.float32) + np.float32(0.5)
        matrix, inliers = cv2.findHomography(source, target, cv2.RANSAC, 3.0)
        if matrix is None or inliers.sum() < _SIFT_INLIERS:
            return None
        guess = np.asarray(matrix, np.float64)
        if not _sane(guess, self.watcher.size):
            return None
        found = self._compare(anchor, k, guess)
        return guess if found is None else found

    # --- every frame --------------------------------------------------------------------------------------------------

    def _all_frames(self, placed: list[Array | None], steps: list[Array | None], still: bool) -> Array:
        """``(frames, 3, 3)`` in pixels of the analysed frame, from the key frames' places in the small picture."""
        watcher = self.watcher
        result = np.full((len(watcher.base), 3, 3), np.nan)
        by_frame = {sight.frame: k for k, sight in enumerate(watcher.sights)}
        columns, rows = watcher.size
        frame = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float64)
        enlarge = np.diag([watcher.scale, watcher.scale, 1.0])
        for index, base in enumerate(watcher.base):
            place = placed[by_frame[index]] if index in by_frame else None
            step = steps[index]
            before = placed[base] if base >= 0 else None
            if place is None and before is not None and step is not None:
                place = _scaled(before @ step)
                after = placed[base + 1] if base + 1 < len(placed) else None
                joint = steps[watcher.sights[base + 1].frame] if after is not None else None
                if after is not None and joint is not None and watcher.base[watcher.sights[base + 1].frame] == base:
                    other = after @ np.linalg.inv(joint) @ step
                    first, last = watcher.sights[base].frame, watcher.sights[base + 1].frame
                    share = (index - first) / (last - first)
                    corner = (1 - share) * apply(place, frame) + share * apply(other, frame)
                    between = cv2.getPerspectiveTransform(frame.astype(np.float32), corner.astype(np.float32))
                    place = np.asarray(between, np.float64)
            elif place is None and before is not None and still:
                place = np.eye(3)
            if place is not None:
                result[index] = np.eye(3) if still else _scaled(enlarge @ place @ np.linalg.inv(enlarge))
        return result


def fit(
    source: npt.NDArray[np.floating[Any]], target: npt.NDArray[np.floating[Any]], size: tuple[int, int], share: float
) -> Array | None:
    """``(3, 3)`` that takes most ``(n, 2)`` source points to their targets; None where fewer than ``share`` agree."""
    if len(source) < _MIN_SPOTS:
        return None
    source, target = source.astype(np.float32), target.astype(np.float32)
    full, agree = cv2.findHomography(source, target, cv2.RANSAC, _TOLERANCE, maxIters=500, confidence=0.995)
    matrix = np.zeros((3, 3)) if full is None else np.asarray(full, np.float64)
    inliers = np.zeros(len(source), bool) if full is None else agree[:, 0].astype(bool)
    spread = cv2.contourArea(cv2.convexHull(source[inliers])) / (size[0] * size[1]) if inliers.sum() >= 3 else 0.0
    if inliers.sum() < _PLENTY or spread < _WIDE or not _sane(matrix, size):
        similar, agree = cv2.estimateAffinePartial2D(
            source, target, method=cv2.RANSAC, ransacReprojThreshold=_TOLERANCE, maxIters=500
        )
        if similar is None:
            return None
        matrix, inliers = np.vstack([np.asarray(similar, np.float64), [0, 0, 1]]), agree[:, 0].astype(bool)
    if inliers.sum() < max(_MIN_SPOTS, share * len(source)) or not _sane(matrix, size):
        return None
    return _scaled(matrix)


def _sane(matrix: Array, size: tuple[int, int]) -> bool:
    """Whether a frame stays a frame: neither folded nor blown up nor shrunk to nothing."""
    if not np.isfinite(matrix).all():
        return False
    columns, rows = size
    corner = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float64)
    weight = corner @ matrix[2, :2] + matrix[2, 2]
    if (weight <= 0).any():
        return False
    mapped = apply(matrix, corner).astype(np.float32)
    area = cv2.contourArea(mapped, oriented=True) / (columns * rows)
    return bool(cv2.isContourConvex(mapped) and 0.1 < area < 10)


def _scaled(matrix: Array) -> Array:
    result: Array = matrix / matrix[2, 2]
    return result


def centred(matrix: Array) -> Array:
    """From pixels counted from the corner, as everywhere here, to OpenCV's, counted from the first one's middle."""
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    result: Array = np.linalg.inv(half) @ matrix @ half
    return result
