"""BlazePose as a GPU runs it, on the CPU: shared batches, half precision, one network for several threads."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import torch
from ascension_vision.pose.blazepose import BlazePose
from ascension_vision.pose.model import Landmarks
from ascension_vision.pose.roi import Roi, whole_frame
from ascension_vision.scene import SceneOptions, plan_scene
from ascension_vision.scene.render import Renderer
from ascension_vision.video.clip import Clip, Frame
from torch import Tensor

from tests.unit.vision import films

Array = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> list[Frame]:
    """Decoded frames of a rendered climber."""
    scene = plan_scene(SceneOptions(seed=7, duration_s=0.2, fps=10, width=360, height=640))
    pictures = [frame.image for frame in Renderer(scene).frames()]
    return list(Clip(films.film(tmp_path_factory.mktemp("film") / "a.mp4", pictures)).frames())


@pytest.fixture(scope="module")
def plain() -> BlazePose:
    return BlazePose("cpu")


@pytest.fixture(scope="module")
def rois(plain: BlazePose, frames: list[Frame]) -> list[Roi]:
    found = plain.detect([frame.image for frame in frames], [whole_frame(frame.image) for frame in frames])
    return [bodies[0].roi for bodies in found]


def points(seen: list[Landmarks]) -> Array:
    return np.array([one.points[:, :2] for one in seen])


def test_analyses_that_share_batches_see_what_each_would_see_alone(
    plain: BlazePose, frames: list[Frame], rois: list[Roi]
) -> None:
    shared = BlazePose("cpu", shared=True)
    sizes: list[int] = []

    def note(network: torch.nn.Module, given: tuple[Tensor]) -> None:
        sizes.append(len(given[0]))
        # The first call lasts until both other analyses wait with theirs.
        while len(sizes) == 1 and len(shared._placed._waiting) < 2:  # type: ignore[attr-defined]
            time.sleep(0.001)

    hook = shared._landmark.register_forward_pre_hook(note)
    turns = (0.0, 0.1, -0.1)

    def analysis(turn: float) -> Array:
        """Frame by frame, as it is and mirrored."""
        return np.concatenate([
            points(shared.landmarks([frame.picture] * 2, [roi.turned(turn), replace(roi, mirrored=True)]))
            for frame, roi in zip(frames, rois, strict=True)
        ])  # fmt: skip

    with ThreadPoolExecutor(3) as threads:
        together = list(threads.map(analysis, turns))
    hook.remove()
    assert 4 in sizes, "the two who waited went together"
    assert sum(sizes) == 6 * len(frames)
    for turn, found in zip(turns, together, strict=True):
        assert np.abs(found - analysis(turn)).max() < 0.02
        asked = [asked for roi in rois for asked in (roi.turned(turn), replace(roi, mirrored=True))]
        # OpenCV cuts a sixty-fourth of a pixel otherwise.
        there = points(plain.landmarks([frame.picture for frame in frames for _ in range(2)], asked))
        assert np.median(np.abs(found - there)) < 0.1


def test_the_shared_detector_finds_whom_the_plain_one_finds(
    plain: BlazePose, frames: list[Frame], rois: list[Roi]
) -> None:
    found = BlazePose("cpu", shared=True).detect([f.image for f in frames], [whole_frame(f.image) for f in frames])
    assert [len(bodies) for bodies in found] == [1] * len(frames)
    for bodies, roi in zip(found, rois, strict=True):
        assert np.hypot(bodies[0].roi.x - roi.x, bodies[0].roi.y - roi.y) < 0.01 * roi.side


def test_half_precision_keeps_landmarks_where_they_are(plain: BlazePose, frames: list[Frame], rois: list[Roi]) -> None:
    half = BlazePose("cpu", half=True)
    pictures = [frame.picture for frame in frames]
    apart = np.linalg.norm(points(half.landmarks(pictures, rois)) - points(plain.landmarks(pictures, rois)), axis=2)
    # Pixels of a frame of 1080 × 1920, of which these are a third.
    assert 0 < np.median(3 * apart) < 0.2
    assert np.percentile(3 * apart, 99) < 2


def test_on_another_device_nothing_is_left_on_the_cpu_and_only_the_heat_maps_are_rounded(frames: list[Frame]) -> None:
    # A device without numbers knows shapes, types and places all the same; only the fetching must fail.
    pose = BlazePose("meta")
    told: list[tuple[tuple[int, ...], torch.dtype]] = []

    def note(network: torch.nn.Module, given: object, outputs: list[Tensor]) -> None:
        told.extend((tuple(output.shape), output.dtype) for output in outputs)

    pose._landmark.register_forward_hook(note)
    for look in (pose.landmarks, pose.detect):
        with pytest.raises(NotImplementedError, match="no data"):
            look([frame.picture for frame in frames], [whole_frame(frame.picture) for frame in frames])
    n = len(frames)
    shapes = [(n, 195), (n, 1), (n, 39, 64, 64), (n, 117)]
    assert told == list(zip(shapes, [torch.float32, torch.float32, torch.float16, torch.float32], strict=True))
