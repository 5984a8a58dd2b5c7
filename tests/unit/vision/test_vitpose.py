"""Another pose model in BlazePose's place: ViTPose's heat maps, from weights made here at random."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ascension_vision.pose.model import Detection, Landmarks, ModelUnavailable, PoseModel
from ascension_vision.pose.roi import Roi, View
from ascension_vision.pose.vitpose import COCO, ViTPose, maxima

transformers: Any = pytest.importorskip("transformers", reason="transformers is an optional package")


class OneBody:
    """Sees the same body everywhere."""

    name = "one body"

    def detect(self, images: Sequence[View], rois: Sequence[Roi]) -> list[list[Detection]]:
        return [[] for _ in rois]

    def landmarks(self, images: Sequence[View], rois: Sequence[Roi]) -> list[Landmarks]:
        points = np.random.default_rng(0).normal(100, 20, (33, 3))
        seen = np.full(33, 0.5)
        roi = Roi(100, 100, 120)
        return [Landmarks(points, seen, seen, seen, points, 0.9, roi, roi) for _ in rois]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("vitpose")
    network(17).save_pretrained(directory)
    return directory


def network(key_points: int) -> Any:
    backbone = transformers.VitPoseBackboneConfig(
        image_size=[256, 192], patch_size=[16, 16], hidden_size=16, num_hidden_layers=1, num_attention_heads=2
    )
    config = transformers.VitPoseConfig(backbone_config=backbone, num_labels=key_points)
    return transformers.VitPoseForPoseEstimation(config)


def test_it_stands_in_for_the_built_in_model(weights: Path) -> None:
    model: PoseModel = ViTPose(weights, OneBody())
    image = np.random.default_rng(1).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    found = model.landmarks([image] * 3, [Roi(100, 100, 120)] * 3)
    assert len(found) == 3
    assert found[0].points.shape == (33, 3)
    assert np.isfinite(found[0].points).all()
    assert "one body" in model.name


def test_only_safetensors_are_opened(weights: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes((weights / "config.json").read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"a pickle that nobody may open")
    with pytest.raises(ModelUnavailable, match="safetensors"):
        ViTPose(tmp_path, OneBody())


def test_a_model_of_other_key_points_is_refused(tmp_path: Path) -> None:
    network(5).save_pretrained(tmp_path)
    with pytest.raises(ModelUnavailable, match="17"):
        ViTPose(tmp_path, OneBody())


def test_a_sure_heat_map_moves_its_landmark_and_what_hangs_on_it(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ViTPose(weights, OneBody())
    heat_maps = np.zeros((1, 17, 64, 48), np.float32)
    y, x = np.mgrid[0:64, 0:48]
    wrist = COCO.index(15)
    heat_maps[0, wrist] = np.exp(-((x - 30.25) ** 2 + (y - 12.5) ** 2) / 8)
    monkeypatch.setattr(model, "_heat_maps", lambda images, rois: heat_maps)
    before = OneBody().landmarks([], [Roi(0, 0, 1)])[0].points
    after = model.landmarks([np.zeros((200, 200, 3), np.uint8)], [Roi(100, 100, 120)])[0].points
    side = 0.85 * 120
    expected = 100 + side * (np.array([30.25 + 8 + 0.5, 12.5 + 0.5]) / 64 - 0.5)
    assert after[15, :2] == pytest.approx(expected, abs=0.1)
    assert np.allclose(after[19, :2] - before[19, :2], after[15, :2] - before[15, :2])
    assert np.array_equal(after[16], before[16])


def test_maxima_are_found_between_cells() -> None:
    y, x = np.mgrid[0:64, 0:48]
    bump = np.exp(-((x - 20.3) ** 2 + (y - 40.8) ** 2) / 8).astype(np.float32)
    places, heights = maxima(bump[None])
    assert places[0] == pytest.approx([20.3, 40.8], abs=0.01)
    assert 0.9 < heights[0] <= 1
