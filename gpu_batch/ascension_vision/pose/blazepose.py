"""BlazePose: the detector that finds bodies in an image and the network that places 33 landmarks on one of them.

The pre- and post-processing follows MediaPipe's pose graphs (0.10.14, Apache-2.0), whose constants are named below; the
code is our own and works on batches.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ascension_vision.body.skeleton import OTHER_SIDE
from ascension_vision.cores import cores, threads
from ascension_vision.pose import weights
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
_CUDA_BATCH = 32
MIN_DETECTION_SCORE = 0.5

_STRIDES = (8, 16, 32, 32, 32)
_ANCHORS_PER_CELL = 2
_SUPPRESSION_IOU = 0.3
_LANDMARKS = 39  # 33 on the body, then two that align the next region, then four unused
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
    """The built-in ``PoseModel``, both networks on one device.

    float32 on the CPU; half precision on CUDA unless ``half`` says otherwise.
    """

    name = f"BlazePose detector and full landmark network, mediapipe {weights.MEDIAPIPE_VERSION}"

    def __init__(self, device: str = "cpu", half: bool | None = None) -> None:
        self.device = torch.device(device)
        self.dtype = torch.float16 if (self.device.type == "cuda" if half is None else half) else torch.float32
        self._detection = self._load(weights.DETECTION)
        self._landmark = self._load(weights.LANDMARK)
        self._anchors = anchors()
        on_cpu = self.device.type == "cpu"
        self._threads = threads("pose") if on_cpu else None
        self._cutter = None if on_cpu else Cutter(self.device)

    def _load(self, source: weights.Source) -> Network:
        return Network.load(weights.converted_path(source)).to(self.device, self.dtype)

    def _in_batches(
        self, work: Callable[[Sequence[View], Sequence[Roi]], list[T]], images: Sequence[View], rois: Sequence[Roi]
    ) -> list[T]:
        size = BATCH if self._threads else _CUDA_BATCH
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
        crops = self._crops(images, rois, DETECTION_SIZE, cv2.BORDER_CONSTANT)
        raw_boxes, raw_scores = self._run(self._detection, crops, 2 / 255, -1.0)
        scores = torch.sigmoid(raw_scores[..., 0].clamp(-100, 100)).double().cpu().numpy()
        boxes = raw_boxes.double().cpu().numpy()
        return [self._decode_detections(roi, box, score) for roi, box, score in zip(rois, boxes, scores, strict=True)]

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
        seen = self._landmarks_in_crops(self._crops(images, rois, LANDMARK_SIZE, cv2.BORDER_REPLICATE))
        return [_in_frame(roi, seen, i) for i, roi in enumerate(rois)]

    def landmarks_in_crops(self, crops: npt.NDArray[np.uint8]) -> "CropLandmarks":
        """The landmark network alone, on ``(n, 256, 256, 3) uint8`` crops, refined by the heat map."""
        return self._landmarks_in_crops(self._sent(crops))

    def _landmarks_in_crops(self, crops: Tensor) -> "CropLandmarks":
        raw, flags, heat_map, world = self._run(self._landmark, crops, 1 / 255, 0.0)
        values = raw.float().reshape(-1, _LANDMARKS, 5)
        points = values[..., :3] / LANDMARK_SIZE
        points[..., :2] = refine_by_heat_map(points[..., :2], heat_map.float())
        arrays = (
            points,
            torch.sigmoid(values[..., 3]),
            torch.sigmoid(values[..., 4]),
            torch.sigmoid(heat_map.float().amax(dim=(-1, -2))),
            flags[:, 0],
            world.reshape(-1, _LANDMARKS, 3),
        )
        return CropLandmarks(*(array.double().cpu().numpy() for array in arrays))

    def _crops(self, images: Sequence[View], rois: Sequence[Roi], size: int, border: int) -> Tensor:
        """``(n, 3, size, size)`` 0 … 255 on the device."""
        if self._cutter is not None:
            return self._cutter.cut(images, rois, size, border == cv2.BORDER_REPLICATE)
        return self._sent(np.stack([roi.crop(image, size, border) for image, roi in zip(images, rois, strict=True)]))

    def _sent(self, crops: npt.NDArray[np.uint8]) -> Tensor:
        # Crops travel as bytes; a permuted contiguous NHWC array is channels-last already.
        return torch.from_numpy(crops).to(self.device).permute(0, 3, 1, 2)

    @torch.inference_mode()
    def _run(self, network: Network, crops: Tensor, scale: float, offset: float) -> list[Tensor]:
        return network(crops.to(self.dtype) * scale + offset)  # type: ignore[no-any-return]


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
    size = torch.tensor([columns, rows], device=points.device)
    cell = (points * size).to(torch.int64)  # towards zero, as MediaPipe's cast does
    inside = ((cell >= 0) & (cell < size)).all(dim=-1)
    reach = torch.arange(_HEAT_MAP_KERNEL, device=points.device) - _HEAT_MAP_KERNEL // 2
    x = cell[..., 0, None, None] + reach[None, None, None, :]
    y = cell[..., 1, None, None] + reach[None, None, :, None]
    valid = (x >= 0) & (x < columns) & (y >= 0) & (y < rows)
    index = y.clamp(0, rows - 1) * columns + x.clamp(0, columns - 1)
    logits = heat_map.reshape(*heat_map.shape[:2], -1).gather(2, index.flatten(2)).reshape(index.shape)
    confidence = torch.sigmoid(logits) * valid
    total = confidence.sum(dim=(-1, -2))
    centre = torch.stack([(confidence * x).sum(dim=(-1, -2)), (confidence * y).sum(dim=(-1, -2))], dim=-1)
    refined = centre / total.clamp_min(1e-12)[..., None] / size
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
