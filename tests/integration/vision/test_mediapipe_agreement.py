"""Our networks and our pose path say what MediaPipe's say, on the same pixels."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch
from ascension_vision.pose.blazepose import BATCH, DETECTION_SIZE, LANDMARK_SIZE, BlazePose
from ascension_vision.pose.roi import Roi, whole_frame

pytestmark = pytest.mark.mediapipe

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """The same images and crops, and MediaPipe's answers. ``rois``: ours; None where our detector finds nobody."""

    images: list[npt.NDArray[np.uint8]]
    rois: list[Roi | None]
    crops: npt.NDArray[np.uint8]
    frames: npt.NDArray[np.uint8]
    reference: dict[str, npt.NDArray[np.float64]]


@pytest.fixture(scope="module")
def comparison(
    real_images: list[npt.NDArray[np.uint8]],
    pose: BlazePose,
    mediapipe_python: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Comparison:
    folder = tmp_path_factory.mktemp("mediapipe")
    whole = [whole_frame(image) for image in real_images]
    found = pose.detect(real_images, whole)
    rois = [detections[0].roi if detections else None for detections in found]
    crops = np.stack(
        [
            roi.crop(image, LANDMARK_SIZE, cv2.BORDER_REPLICATE)
            for image, roi in zip(real_images, rois, strict=True)
            if roi is not None
        ]
    )
    frames = np.stack(
        [roi.crop(image, DETECTION_SIZE, cv2.BORDER_CONSTANT) for image, roi in zip(real_images, whole, strict=True)]
    )
    images: dict[str, Any] = {f"image_{i}": image for i, image in enumerate(real_images)}
    np.savez(folder / "in.npz", crops=crops, frames=frames, **images)
    script = Path(__file__).with_name("mediapipe_reference.py")
    subprocess.run(
        [mediapipe_python, script, folder / "in.npz", folder / "out.npz"], check=True, capture_output=True, text=True
    )
    with np.load(folder / "out.npz") as answers:
        return Comparison(real_images, rois, crops, frames, {name: answers[name] for name in answers.files})


def test_landmark_network_is_within_a_hundredth_of_a_pixel_of_litert(comparison: Comparison, pose: BlazePose) -> None:
    raw, flags, heat_map, world = _outputs(pose._landmark, comparison.crops.astype(np.float32) / 255)
    reference = comparison.reference
    ours, theirs = raw.reshape(-1, 39, 5), reference["landmark_Identity"].reshape(-1, 39, 5)
    assert np.abs(ours[..., :3] - theirs[..., :3]).max() <= 0.01  # pixels of the crop
    assert np.abs(flags - reference["landmark_Identity_1"]).max() <= 1e-4
    assert np.abs(heat_map.transpose(0, 2, 3, 1) - reference["landmark_Identity_3"]).max() <= 0.01
    assert np.abs(world - reference["landmark_Identity_4"]).max() <= 1e-4  # metres


def test_detection_network_agrees_with_litert(comparison: Comparison, pose: BlazePose) -> None:
    boxes, scores = _outputs(pose._detection, comparison.frames.astype(np.float32) / 127.5 - 1)
    reference = comparison.reference
    assert np.abs(boxes - reference["detection_Identity"]).max() <= 0.02  # pixels of the crop
    assert np.abs(scores - reference["detection_Identity_1"]).max() <= 0.02  # logits


def test_whole_pose_path_is_within_a_fifth_of_a_percent_of_mediapipe(comparison: Comparison, pose: BlazePose) -> None:
    distances, world_distances, visibility = [], [], []
    for i, (image, roi) in enumerate(zip(comparison.images, comparison.rois, strict=True)):
        if roi is None or f"landmarks_{i}" not in comparison.reference:
            continue
        ours = pose.landmarks([image], [roi])[0]
        theirs = comparison.reference[f"landmarks_{i}"]
        pixels = theirs[:, :2] * (image.shape[1], image.shape[0])
        distances.append(np.linalg.norm(ours.points[:, :2] - pixels, axis=1) / roi.side)
        world_distances.append(np.linalg.norm(ours.world - comparison.reference[f"world_{i}"], axis=1))
        visibility.append(np.abs(ours.visibility - theirs[:, 3]))
    assert len(distances) >= 10
    assert np.median(distances) <= 0.002
    assert np.percentile(distances, 95) <= 0.02
    assert np.median(world_distances) <= 0.005
    assert np.median(visibility) <= 0.01


def test_detector_finds_somebody_in_the_same_images_as_mediapipe(comparison: Comparison) -> None:
    same = [(roi is not None) == (f"landmarks_{i}" in comparison.reference) for i, roi in enumerate(comparison.rois)]
    # MediaPipe is silent too where its second network doubts; scores at the threshold may fall either way.
    assert np.mean(same) >= 0.9


def _outputs(network: torch.nn.Module, images: npt.NDArray[Any]) -> list[npt.NDArray[np.float32]]:
    with torch.inference_mode():
        batches = [
            network(torch.from_numpy(images[start : start + BATCH]).float().permute(0, 3, 1, 2))
            for start in range(0, len(images), BATCH)
        ]
    return [torch.cat(parts).numpy() for parts in zip(*batches, strict=True)]
