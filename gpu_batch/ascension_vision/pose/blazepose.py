"""BlazePose: the detector that finds bodies in an image and the network that places 33 landmarks on one of them.

The pre- and post-processing follows MediaPipe's pose graphs (0.10.14, Apache-2.0), whose constants are named below; the
code is our own and works on batches.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ascension_vision.body.skeleton import OTHER_SIDE
from ascension_vision.cores import cores, threads
from ascension_vision.pose import weights
from ascension_vision.pose.batches import SharedBatches
from ascension_vision.pose.crops import Cutter
from ascension_vision.pose.model import Detection, Landmarks
from ascension_vision.pose.network import Network
from ascension_vision.pose.roi import Roi, View, roi_from_alignment

Array = npt.NDArray[np.float64]
T = TypeVar("T")

DETECTION_SIZE = 224
LANDMARK_SIZE = 256
# What one thread of the CPU is given at once: more than four images and the activations leave its cache.
BATCH = 4
# What a GPU is given at once, of one analysis or of several.
SHARED_BATCH = 64
MIN_DETECTION_SCORE = 0.5

_STRIDES = (8, 16, 32, 32, 32)
_ANCHORS_PER_CELL = 2
_SUPPRESSION_IOU = 0.3
_LANDMARKS = 39  # 33 on the body, then two that align the next region, then four unused
_FIGURES = 9  # of each landmark: point (3), visibility, presence, peak, place in the world (3)
# Half precision would spoil the landmark network's first layers, and those that tell coordinates from maps of 8 × 8.
# What else leads to the heat maps, its third output, bears it.
_EXACT_LAYERS, _HEAT_MAPS = 10, 2
_HEAT_MAP_KERNEL = 7
_HEAT_MAP_CONFIDENCE = 0.5


class CropLandmarks(NamedTuple):
    """Points ``(n, 39, 3)`` in units of the crop's side; visibility, presence and the heat maps' peaks ``(n, 39)``;
    flags ``(n,)``; world landmarks ``(n, 39, 3)`` in metres with the axes of the crop."""

    points: Array
    visibility: Array
    presence: Array
    peak: Array
    flags: Array
    world: Array


class BlazePose:
    """The built-in ``PoseModel``, both networks on one device. Any number of threads may call it.

    On a CPU each batch is a thread's, small enough for its cache. On a GPU the calls of all threads share batches.
    """

    name = f"BlazePose detector and full landmark network, mediapipe {weights.MEDIAPIPE_VERSION}"

    def __init__(self, device: str = "cpu", half: bool | None = None, shared: bool | None = None) -> None:
        """``half``: whether the landmark network computes in half precision, what that would spoil apart; ``shared``:
        whether regions are cut by PyTorch and batches shared. None: on a GPU."""
        self.device = torch.device(device)
        on_gpu = self.device.type != "cpu"
        if on_gpu:
            # Else convolutions of float32 would round to ten bits, as half precision does.
            torch.backends.cudnn.allow_tf32 = False
        self._detection, self._landmark = (_loaded(source) for source in (weights.DETECTION, weights.LANDMARK))
        self.half = on_gpu if half is None else half
        if self.half:
            self._landmark.halve(_EXACT_LAYERS, [_HEAT_MAPS])
        self._detection.to(self.device)
        self._landmark.to(self.device)
        self._anchors = anchors()
        self._threads: ThreadPoolExecutor | None = None
        self._cutter: Cutter | None = None
        self._seen: Callable[[Tensor], Array] = self._detection_rows
        self._placed: Callable[[Tensor], Array] = self._landmark_rows
        if on_gpu if shared is None else shared:
            self._cutter = Cutter(self.device)
            self._seen, self._placed = (SharedBatches(work, SHARED_BATCH) for work in (self._seen, self._placed))
        else:
            self._threads = threads("pose")

    def _in_batches(
        self, work: Callable[[Sequence[View], Sequence[Roi]], list[T]], images: Sequence[View], rois: Sequence[Roi]
    ) -> list[T]:
        size = BATCH if self._threads else SHARED_BATCH
        if self._threads and len(rois) > 1:
            size = min(size, -(-len(rois) // cores()))
        starts = range(0, len(rois), size)
        batches = [(images[start : start + size], rois[start : start + size]) for start in starts]
        if self._threads is None:
            done = [work(*batch) for batch in batches]
        else:
            done = list(self._threads.map(work, *zip(*batches, strict=True))) if batches else []
        return [result for batch in done for result in batch]

    def detect(self, images: Sequence[View], rois: Sequence[Roi]) -> list[list[Detection]]:
        """Bodies inside ``rois[i]`` of ``images[i]`` (RGB), best first; in pixels of the frame."""
        return self._in_batches(self._detect, images, rois)

    def _detect(self, images: Sequence[View], rois: Sequence[Roi]) -> list[list[Detection]]:
        rows = self._seen(self._crops(images, rois, DETECTION_SIZE, cv2.BORDER_CONSTANT))
        found = rows.reshape(len(rois), len(self._anchors), -1)
        return [self._decode_detections(roi, raw[:, 1:], raw[:, 0]) for roi, raw in zip(rois, found, strict=True)]

    @torch.inference_mode()
    def _detection_rows(self, crops: Tensor) -> Array:
        """Of crops ``(n, 3, 224, 224)`` 0 … 255: of each anchor its score, then the raw box."""
        boxes, scores = self._detection(crops.float() * (2 / 255) - 1)
        return _fetched(torch.cat([torch.sigmoid(scores.clamp(-100, 100)), boxes], dim=-1))

    def _decode_detections(self, roi: Roi, raw: Array, scores: Array) -> list[Detection]:
        kept = scores >= MIN_DETECTION_SCORE
        if not kept.any():
            return []
        # Anchors all have size 1, so raw values are pixels of the crop; then x, y, w, h and four points.
        values = raw[kept] / DETECTION_SIZE
        values[:, [0, 1]] += self._anchors[kept]
        values[:, 4:] += np.tile(self._anchors[kept], 4)
        detections = []
        for score, merged in weighted_suppression(scores[kept], values):
            detections.append(Detection(score, roi.to_frame(merged[4:].reshape(4, 2))))
        return detections

    def landmarks(self, images: Sequence[View], rois: Sequence[Roi]) -> list[Landmarks]:
        """Landmarks of the body in ``rois[i]`` of ``images[i]`` (RGB). Look at ``flag`` before believing them."""
        return self._in_batches(self._landmarks, images, rois)

    def _landmarks(self, images: Sequence[View], rois: Sequence[Roi]) -> list[Landmarks]:
        seen = _crop_landmarks(self._placed(self._crops(images, rois, LANDMARK_SIZE, cv2.BORDER_REPLICATE)))
        return [_in_frame(roi, seen, i) for i, roi in enumerate(rois)]

    def landmarks_in_crops(self, crops: npt.NDArray[np.uint8]) -> "CropLandmarks":
        """The landmark network alone, on ``(n, 256, 256, 3) uint8`` crops, refined by the heat map."""
        return _crop_landmarks(self._placed(self._sent(crops)))

    @torch.inference_mode()
    def _landmark_rows(self, crops: Tensor) -> Array:
        """Of crops ``(n, 3, 256, 256)`` 0 … 255: of each landmark its ``_FIGURES``, then the flag."""
        raw, flags, heat_map, world = self._landmark(crops.float() * (1 / 255))
        values, heat_map = raw.reshape(-1, _LANDMARKS, 5), heat_map.float()
        points = values[..., :3] / LANDMARK_SIZE
        refined = refine_by_heat_map(points[..., :2], heat_map)
        sure = torch.sigmoid(values[..., 3:])
        peak = torch.sigmoid(heat_map.amax(dim=(-1, -2)))[..., None]
        figures = torch.cat([refined, points[..., 2:], sure, peak, world.reshape(-1, _LANDMARKS, 3)], dim=-1)
        return _fetched(torch.cat([figures.flatten(1), flags], dim=1))

    def _crops(self, images: Sequence[View], rois: Sequence[Roi], size: int, border: int) -> Tensor:
        """``(n, 3, size, size)`` 0 … 255 on the device."""
        if self._cutter is not None:
            return self._cutter.cut(images, rois, size, border == cv2.BORDER_REPLICATE)
        return self._sent(np.stack([roi.crop(image, size, border) for image, roi in zip(images, rois, strict=True)]))

    def _sent(self, crops: npt.NDArray[np.uint8]) -> Tensor:
        # Crops travel as bytes; a permuted contiguous NHWC array is channels-last already.
        return torch.from_numpy(crops).to(self.device, non_blocking=True).permute(0, 3, 1, 2)


def _loaded(source: weights.Source) -> Network:
    return Network.load(weights.converted_path(source))


def _fetched(values: Tensor) -> Array:
    """``(n, …)`` from the device as ``(n, columns)``, in one go: each fetching waits for all that was begun before."""
    return values.flatten(1).cpu().numpy().astype(np.float64)


def _crop_landmarks(rows: Array) -> CropLandmarks:
    """From what ``_landmark_rows`` answers."""
    figures = rows[:, :-1].reshape(-1, _LANDMARKS, _FIGURES)
    visibility, presence, peak = figures[..., 3:6].transpose(2, 0, 1)
    return CropLandmarks(figures[..., :3], visibility, presence, peak, rows[:, -1], figures[..., 6:])


def anchors() -> Array:
    """``(2254, 2)`` centres x, y in units of the crop. Layers of equal stride share a grid, two anchors a layer."""
    grids = []
    index = 0
    while index < len(_STRIDES):
        stride = _STRIDES[index]
        layers = sum(1 for other in _STRIDES if other == stride)
        cells = DETECTION_SIZE // stride
        y, x = np.mgrid[0:cells, 0:cells]
        centres = (np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) / cells
        grids.append(np.repeat(centres, _ANCHORS_PER_CELL * layers, axis=0))
        index += layers
    return np.concatenate(grids)


def weighted_suppression(scores: Array, values: Array) -> list[tuple[float, Array]]:
    """MediaPipe's weighted non-maximum suppression.

    ``values`` ``(n, 4 + 2k)``: box centre, box size, points. Boxes that overlap the best one are averaged into it,
    weighted by their scores, and the best one's score is kept.
    """
    corners = np.concatenate([values[:, :2] - values[:, 2:4] / 2, values[:, :2] + values[:, 2:4] / 2], axis=1)
    order = np.argsort(-scores, kind="stable")
    merged: list[tuple[float, Array]] = []
    while len(order):
        best = order[0]
        overlapping = _iou(corners[best], corners[order]) > _SUPPRESSION_IOU
        group = order[overlapping] if overlapping.any() else order[:1]
        # Averaging corners and averaging centre and size are the same thing.
        merged.append((float(scores[best]), np.average(values[group], axis=0, weights=scores[group])))
        order = np.setdiff1d(order, group, assume_unique=True) if len(group) < len(order) else order[:0]
        order = order[np.argsort(-scores[order], kind="stable")]
    return merged


def _iou(box: Array, others: Array) -> Array:
    overlap = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    intersection = np.prod(np.maximum(overlap, 0), axis=1)
    union = np.prod(box[2:] - box[:2]) + np.prod(others[:, 2:] - others[:, :2], axis=1) - intersection
    iou: Array = np.where(union > 0, intersection / np.maximum(union, 1e-12), 0.0)
    return iou


def refine_by_heat_map(points: Tensor, heat_map: Tensor) -> Tensor:
    """Move each landmark to the centre of mass of its heat map around it, where the map is confident there.

    ``points`` ``(n, 39, 2)`` in units of the crop; ``heat_map`` ``(n, 39, 64, 64)`` logits.
    """
    rows, columns = heat_map.shape[2:]
    # Towards zero, as MediaPipe's cast does.
    column, row = (points[..., 0] * columns).to(torch.int64), (points[..., 1] * rows).to(torch.int64)
    inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    reach = torch.arange(_HEAT_MAP_KERNEL, device=points.device) - _HEAT_MAP_KERNEL // 2
    x = column[..., None, None] + reach
    y = row[..., None, None] + reach[:, None]
    valid = (x >= 0) & (x < columns) & (y >= 0) & (y < rows)
    index = y.clamp(0, rows - 1) * columns + x.clamp(0, columns - 1)
    logits = heat_map.reshape(*heat_map.shape[:2], -1).gather(2, index.flatten(2)).reshape(index.shape)
    confidence = torch.sigmoid(logits) * valid
    total = confidence.sum(dim=(-1, -2))
    sums = [(confidence * x).sum(dim=(-1, -2)) / columns, (confidence * y).sum(dim=(-1, -2)) / rows]
    refined = torch.stack(sums, dim=-1) / total.clamp_min(1e-12)[..., None]
    use = inside & (confidence.amax(dim=(-1, -2)) >= _HEAT_MAP_CONFIDENCE) & (total > 0)
    return torch.where(use[..., None], refined, points)


def _in_frame(roi: Roi, seen: CropLandmarks, i: int) -> Landmarks:
    xy = roi.to_frame(seen.points[i, :, :2])
    whose = OTHER_SIDE if roi.mirrored else list(range(33))
    turned = seen.world[i, whose]
    turned[:, :2] = turned[:, :2] @ (roi.axes / roi.side).T
    return Landmarks(
        points=np.column_stack([xy[whose], seen.points[i, whose, 2] * roi.side]),
        visibility=seen.visibility[i, whose],
        presence=seen.presence[i, whose],
        peak=seen.peak[i, whose],
        world=turned,
        flag=float(seen.flags[i]),
        roi=roi,
        next_roi=roi_from_alignment(xy[33], xy[34]),
    )
