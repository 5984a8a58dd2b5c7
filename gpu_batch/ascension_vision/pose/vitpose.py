"""A second pose model: ViTPose's heat maps over BlazePose's reading of the body.

Weights come from a folder as ``transformers`` saves them, and only as safetensors: other formats run code when they are
opened. BlazePose says where the body is, which way up, and everything that COCO's 17 key points leave out; ViTPose
moves the 17, and hands and feet go along with their wrists and ankles. Needs the ``transformers`` package.

Y. Xu et al. 2022, "ViTPose: Simple Vision Transformer Baselines for Human Pose Estimation".
"""

import importlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from ascension_vision.pose.model import Detection, Landmarks, ModelUnavailable, PoseModel
from ascension_vision.pose.roi import Roi, View

Array = npt.NDArray[np.float64]

# BlazePose's number of each of COCO's key points, and what hangs on a few of them.
COCO = (0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)
_ATTACHED = {15: (17, 19, 21), 16: (18, 20, 22), 27: (29, 31), 28: (30, 32)}

_ROWS, _COLUMNS = 256, 192
_BATCH = 8
_MIN_PEAK = 0.3
# Heat maps are of a person who fills the crop by 1 / 1.25, BlazePose's regions are wider.
_TIGHTER = 0.85
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class ViTPose:
    """Refines what ``base`` sees. ``directory`` holds ``config.json`` and ``model.safetensors``."""

    def __init__(self, directory: Path, base: PoseModel, device: str = "cpu") -> None:
        """Raises ``ModelUnavailable`` where the folder holds no such model, or the package for it is missing."""
        try:
            transformers = importlib.import_module("transformers")
        except ImportError as error:
            raise ModelUnavailable("ViTPose needs the package transformers, which is not installed") from error
        if not (directory / "config.json").is_file() or not list(directory.glob("*.safetensors")):
            raise ModelUnavailable(f"{directory} holds no config.json and *.safetensors: other formats are not opened")
        self._network = transformers.VitPoseForPoseEstimation.from_pretrained(
            str(directory), use_safetensors=True, local_files_only=True, trust_remote_code=False
        )
        self._network = self._network.to(device).eval()
        backbone = self._network.config.backbone_config
        if self._network.config.num_labels != len(COCO) or tuple(backbone.image_size) != (_ROWS, _COLUMNS):
            raise ModelUnavailable(
                f"the model in {directory} is not one of COCO's 17 key points in {_COLUMNS} × {_ROWS} pixels"
            )
        self._experts = getattr(backbone, "num_experts", 1) > 1
        self._base, self._device = base, torch.device(device)
        self.name = f"ViTPose from {directory.name} over {base.name}"

    def detect(self, images: Sequence[View], rois: Sequence[Roi]) -> list[list[Detection]]:
        return self._base.detect(images, rois)

    def landmarks(self, images: Sequence[View], rois: Sequence[Roi]) -> list[Landmarks]:
        seen = self._base.landmarks(images, rois)
        refined: list[Landmarks] = []
        for start in range(0, len(seen), _BATCH):
            batch = seen[start : start + _BATCH]
            places = [Roi(s.next_roi.x, s.next_roi.y, _TIGHTER * s.next_roi.side, s.next_roi.angle) for s in batch]
            heat_maps = self._heat_maps(images[start : start + _BATCH], places)
            refined.extend(_moved(s, roi, maps) for s, roi, maps in zip(batch, places, heat_maps, strict=True))
        return refined

    @torch.inference_mode()
    def _heat_maps(self, images: Sequence[View], rois: list[Roi]) -> npt.NDArray[np.float32]:
        """``(n, 17, 64, 48)``."""
        border = (_ROWS - _COLUMNS) // 2
        crops = np.stack([
            roi.crop(image, _ROWS, cv2.BORDER_CONSTANT)[:, border : border + _COLUMNS]
            for image, roi in zip(images, rois, strict=True)
        ])  # fmt: skip
        pixels = torch.from_numpy(crops).to(self._device).permute(0, 3, 1, 2).float() / 255
        mean, deviation = (torch.tensor(v, device=self._device)[:, None, None] for v in (_MEAN, _DEVIATION))
        experts = {"dataset_index": torch.zeros(len(rois), dtype=torch.int64, device=self._device)}
        answer = self._network((pixels - mean) / deviation, **(experts if self._experts else {}))
        maps: npt.NDArray[np.float32] = answer.heatmaps.float().cpu().numpy()
        return maps


def _moved(seen: Landmarks, roi: Roi, heat_maps: npt.NDArray[np.float32]) -> Landmarks:
    """``seen`` with COCO's key points where their heat maps, ``(17, rows, columns)`` over ``roi``, are sure."""
    points, peak = seen.points.copy(), seen.peak.copy()
    places, heights = maxima(heat_maps)
    rows = heat_maps.shape[1]
    border = (rows - heat_maps.shape[2]) / 2
    found = roi.to_frame((places + np.array([border + 0.5, 0.5])) / rows)
    for landmark, place, height in zip(COCO, found, heights, strict=True):
        if height < _MIN_PEAK:
            continue
        shift = place - points[landmark, :2]
        points[landmark, :2] = place
        peak[landmark] = max(peak[landmark], min(height, 1.0))
        for attached in _ATTACHED.get(landmark, ()):
            points[attached, :2] += shift
    return replace(seen, points=points, peak=peak)


def maxima(heat_maps: npt.NDArray[np.float32]) -> tuple[Array, Array]:
    """Where ``(n, rows, columns)`` heat maps are highest: ``(n, 2)`` x, y in cells, to a fraction; ``(n,)`` how high.

    The fraction is the middle of a parabola through the highest cell and its neighbours' logarithms.
    """
    count, _, columns = heat_maps.shape
    best = heat_maps.reshape(count, -1).argmax(axis=1)
    y, x = np.divmod(best, columns)
    logs = np.log(np.maximum(np.pad(heat_maps, ((0, 0), (1, 1), (1, 1)), mode="edge"), 1e-6)).astype(np.float64)
    each = np.arange(count)
    here = logs[each, y + 1, x + 1]

    def offset(before: Array, after: Array) -> Array:
        bend = before - 2 * here + after
        step = np.where(bend < -1e-9, 0.5 * (before - after) / np.minimum(bend, -1e-9), 0.0)
        return np.asarray(np.clip(step, -0.5, 0.5))

    across = offset(logs[each, y + 1, x], logs[each, y + 1, x + 2])
    down = offset(logs[each, y, x + 1], logs[each, y + 2, x + 1])
    places: Array = np.column_stack([x + across, y + down])
    heights: Array = heat_maps[each, y, x].astype(np.float64)
    return places, heights
