"""The hold detector as it ships: what it finds on rendered walls, and which weights it refuses."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from ascension_vision.cli import main
from ascension_vision.holds.boxes import overlaps
from ascension_vision.holds.finding import WEIGHTS, FoundHold, HoldModel
from ascension_vision.holds.hold import TYPES, UNKNOWN
from ascension_vision.pose.model import ModelUnavailable
from ascension_vision.scene.wall_view import SeenHold, WallViewOptions, wall_view
from safetensors import safe_open
from safetensors.torch import save_file

WALL = WallViewOptions(seed=8, width=600, height=450, density=4.0, span_m=3.5)


@pytest.fixture(scope="module")
def seen() -> tuple[list[FoundHold], list[SeenHold]]:
    image, truth = wall_view(WALL)
    return HoldModel().find(image), truth


@pytest.fixture(scope="module")
def shipped() -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    with safe_open(WEIGHTS, framework="pt") as opened:
        return {name: opened.get_tensor(name) for name in opened.keys()}, dict(opened.metadata())  # noqa: SIM118


def test_it_finds_most_holds_of_a_rendered_wall_and_little_else(
    seen: tuple[list[FoundHold], list[SeenHold]],
) -> None:
    found, truth = seen
    iou = overlaps(np.array([hold.box for hold in found]), np.array([hold.box for hold in truth]))
    assert (iou.max(axis=0) >= 0.5).mean() >= 0.6
    assert (iou.max(axis=1) >= 0.4).mean() >= 0.75


def test_what_it_finds_is_described_within_bounds(seen: tuple[list[FoundHold], list[SeenHold]]) -> None:
    found, _ = seen
    assert [hold.confidence for hold in found] == sorted((hold.confidence for hold in found), reverse=True)
    for number, one in enumerate(found):
        hold = one.hold(number)
        x0, y0, x1, y1 = hold.box
        assert hold.id == number
        assert 0 <= x0 < x1 <= WALL.width
        assert 0 <= y0 < y1 <= WALL.height
        assert 0 < hold.confidence <= 1
        assert hold.type in (*TYPES, UNKNOWN)
        assert (hold.type == UNKNOWN) == (hold.type_confidence is None)
        assert (hold.type == "volume") == (hold.kind == "volume")
        assert hold.outline.shape[0] >= 4
        assert (hold.outline >= np.array([x0, y0]) - 2).all()
        assert (hold.outline <= np.array([x1, y1]) + 2).all()


def test_the_command_finds_no_holds_on_a_bare_wall(tmp_path: Path) -> None:
    image, _ = wall_view(WallViewOptions(seed=8, width=600, height=450, holds=False))
    cv2.imwrite(str(tmp_path / "bare.png"), image[..., ::-1])
    assert main(["holds", str(tmp_path / "bare.png"), "--json", str(tmp_path / "out.json")]) == 0
    photos = json.loads((tmp_path / "out.json").read_text())
    assert photos == [{"image": str(tmp_path / "bare.png"), "width": 600, "height": 450, "holds": []}]


def test_the_command_tells_boxes_in_the_photos_pixels_with_the_doubtful_ones(tmp_path: Path) -> None:
    image, truth = wall_view(WallViewOptions(seed=3, width=900, height=700))
    cv2.imwrite(str(tmp_path / "wall.png"), image[..., ::-1])
    assert main(["holds", str(tmp_path / "wall.png"), "--json", str(tmp_path / "out.json")]) == 0
    (photo,) = json.loads((tmp_path / "out.json").read_text())
    assert (photo["width"], photo["height"]) == (900, 700)
    assert {"kind", "confidence", "box_px", "type", "type_confidence"} <= photo["holds"][0].keys()
    sure = np.array([hold["box_px"] for hold in photo["holds"] if hold["confidence"] > 0.8])
    best = overlaps(sure, np.array([hold.box for hold in truth])).max(axis=1)
    assert np.mean(best > 0.5) > 0.7
    assert min(hold["confidence"] for hold in photo["holds"]) < 0.3


def test_the_command_says_what_it_cannot_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    assert main(["holds", str(tmp_path / "text.jpg"), "--json", str(tmp_path / "out.json")]) == 2
    assert "text.jpg" in capsys.readouterr().err
    assert main(["holds", str(tmp_path / "none.jpg"), "--json", str(tmp_path / "out.json")]) == 2


def test_the_weights_are_small_and_credit_whom_they_owe(shipped: tuple[Any, dict[str, str]]) -> None:
    assert WEIGHTS.stat().st_size < 12 * 2**20
    for owed in ("CC BY 4.0", "roboflow", "Apache-2.0"):
        assert owed in shipped[1]["credit"]


def test_weights_that_do_not_fit_are_refused_with_a_reason(
    shipped: tuple[dict[str, torch.Tensor], dict[str, str]], tmp_path: Path
) -> None:
    tensors, about = shipped
    path, name = tmp_path / "own.safetensors", "network.kind.weight"

    def refused(changed: dict[str, torch.Tensor], header: dict[str, str], reason: str) -> None:
        save_file(changed, path, metadata=header)
        with pytest.raises(ModelUnavailable, match=reason):
            HoldModel(path)

    refused({n: t for n, t in tensors.items() if n != name}, about, f"lacks the tensor {name}")
    refused({**tensors, name: tensors[name][:1].clone()}, about, name)
    refused({**tensors, name: torch.full_like(tensors[name], torch.nan)}, about, "not finite")
    refused({**tensors, "more": torch.zeros(1)}, about, "more")
    refused(tensors, {**about, "schema": "another/1"}, "schema")
    refused(tensors, {**about, "trust": '{"slope": 3}'}, "trust")
    path.write_bytes(b"no tensors")
    with pytest.raises(ModelUnavailable, match="safetensors"):
        HoldModel(path)
    with pytest.raises(ModelUnavailable, match="no file"):
        HoldModel(tmp_path / "missing.safetensors")


def test_a_picture_seen_in_strips_has_the_features_that_it_has_as_a_whole() -> None:
    picture = torch.from_numpy(wall_view(WALL)[0].copy()).permute(2, 0, 1)[None].float()[:, :, :448, :576]
    backbone = HoldModel().network.backbone
    whole = backbone(picture)
    with torch.inference_mode():
        in_strips = backbone(picture)
    for one, other in zip(whole, in_strips, strict=True):
        torch.testing.assert_close(other, one.detach(), rtol=1e-3, atol=1e-3)
