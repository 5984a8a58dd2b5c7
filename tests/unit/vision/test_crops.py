"""Regions cut by PyTorch, as on a GPU, are those that OpenCV cuts."""

import cv2
import numpy as np
import pytest
import torch
from ascension_vision.pose.crops import Cutter
from ascension_vision.pose.roi import Roi, View, whole_frame
from ascension_vision.video.clip import Clip

from tests.unit.vision import films

# One within the frame, one beyond its corner, one so large that all of the frame is in it.
ROIS = [Roi(80.0, 60.0, 70.0, 0.4), Roi(10.0, 5.0, 60.0, -1.2), Roi(80.0, 60.0, 260.0, 2.0)]


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> dict[str, View]:
    rng = np.random.default_rng(4)
    soft = cv2.resize(rng.integers(0, 255, (6, 8, 3), dtype=np.uint8), (160, 120), interpolation=cv2.INTER_CUBIC)
    path = films.film(tmp_path_factory.mktemp("film") / "a.mp4", [soft.astype(np.uint8)] * 2)
    return {"decoded": next(Clip(path).frames()).picture, "RGB": soft.astype(np.uint8)}


@pytest.mark.parametrize("border", [cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT], ids=["edge repeated", "black around"])
@pytest.mark.parametrize("kind", ["decoded", "RGB"])
def test_a_region_is_what_opencv_cuts(views: dict[str, View], kind: str, border: int) -> None:
    view = views[kind]
    cut = Cutter(torch.device("cpu")).cut([view] * len(ROIS), ROIS, 96, border == cv2.BORDER_REPLICATE)
    for mine, roi in zip(cut.permute(0, 2, 3, 1).numpy(), ROIS, strict=True):
        difference = np.abs(mine - roi.crop(view, 96, border))
        assert difference.mean() < 0.5
        # where black begins a sixty-fourth of a pixel is a step
        assert np.quantile(difference, 0.99) <= 4


def test_a_whole_square_frame_is_its_own_region() -> None:
    image = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    cut = Cutter(torch.device("cpu")).cut([image], [whole_frame(image)], 64, repeat=False)
    assert np.array_equal(cut[0].permute(1, 2, 0).numpy(), image)
