"""What the hold detector learns from: the split by wall, crops whose boxes fit, and a loss that wants what we want."""

import json
from collections.abc import Iterable

import numpy as np
import pytest
import torch
from ascension_vision.holds.network import HoldNetwork, places

from training.holds.crops import SIDE, crop
from training.holds.matching import Truth, loss, match
from training.holds.photos import SPLIT, Photo, data_directory, digest, source
from training.holds.precision import Found, curve


def groups() -> dict[str, dict[str, list[str]]]:
    content: dict[str, dict[str, list[str]]] = json.loads(SPLIT.read_text())["parts"]
    return content


def every(part: str) -> list[str]:
    return [name for names in groups()[part].values() for name in names]


def sources(names: Iterable[str]) -> set[str]:
    return {source(name.rpartition("/")[2]) for name in names}


def test_no_photo_and_no_wall_is_on_two_sides_of_the_split() -> None:
    train, test = every("train"), every("test")
    assert not sources(train + every("tune")) & sources(test)
    assert not set(train) & set(every("tune"))
    for wall in json.loads(SPLIT.read_text())["walls"]:
        assert not (sources(wall) & sources(train) and sources(wall) & sources(test)), wall


def test_eighty_photos_or_more_and_a_whole_gym_are_held_back() -> None:
    assert len(every("test")) >= 80
    assert {name.rpartition("/")[2][:6] for name in groups()["test"]["unseen_gym"]} == {"IMG_89"}
    assert not any("/IMG_89" in name for name in every("train") + every("tune"))


@pytest.mark.skipif(not (data_directory() / "holds").is_dir(), reason="the photos are not on this machine")
def test_the_photos_are_those_that_were_split() -> None:
    names = [name for part in groups() for name in every(part)]
    assert digest(names, data_directory() / "holds") == json.loads(SPLIT.read_text())["sha256"]


def test_boxes_of_a_crop_lie_about_what_they_lay_about_in_the_photo() -> None:
    image = np.full((600, 800, 3), 60, np.uint8)
    box = np.array([[300, 200, 420, 260]], np.float32)
    yy, xx = np.mgrid[:600, :800]
    image[((xx - 360) / 60) ** 2 + ((yy - 230) / 30) ** 2 <= 1] = 250
    photo = Photo("disc", image, box, np.zeros(1, np.int64))
    rng = np.random.default_rng(2)
    compared = 0
    for _ in range(60):
        piece = crop(photo, rng)
        if not len(piece.boxes) or np.any((piece.boxes < 4) | (piece.boxes > SIDE - 4)):
            continue
        x0, y0, x1, y1 = piece.boxes[0]
        inside = piece.image[round(y0) : round(y1), round(x0) : round(x1)].mean()
        corner = piece.image[max(0, round(y0) - 4) : round(y0), max(0, round(x0) - 4) : round(x0)]
        assert inside > float(corner.mean()) + 15
        compared += 1
    assert compared > 15


def test_a_box_is_answered_for_by_places_within_it_and_the_loss_is_least_for_the_right_answer() -> None:
    middles, strides = places(SIDE, SIDE)
    truth = Truth(torch.tensor([[100.0, 120.0, 150.0, 180.0]]), torch.tensor([1]), torch.zeros(0, 4))
    exact = truth.boxes.expand(len(middles), 4)
    quiet = torch.full((len(middles), 2), -6.0)
    place, owner = match(quiet, exact, truth, middles, strides)
    assert len(place) > 0
    assert set(owner.tolist()) == {0}
    middle = torch.tensor([125.0, 150.0])
    assert bool(((middles[place] - middle).abs().amax(-1) <= 1.5 * strides[place] + 30).all())
    sure = quiet.clone()
    sure[place, 1] = 6.0
    right = loss(sure[None], exact[None], [truth], middles, strides)
    missed = loss(quiet[None], exact[None], [truth], middles, strides)
    beside = loss(sure[None], exact[None] + 20.0, [truth], middles, strides)
    assert float(right.kind) < float(missed.kind)
    assert float(right.box) < float(beside.box)


def test_what_is_ignored_costs_nothing() -> None:
    middles, strides = places(SIDE, SIDE)
    loud = torch.full((1, len(middles), 2), 3.0)
    boxes = torch.cat([middles - 10, middles + 10], dim=-1)[None]
    nothing = Truth(
        torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64), torch.tensor([[-1.0, -1, SIDE + 1, SIDE + 1]])
    )
    assert float(loss(loud, boxes, [nothing], middles, strides).kind) == 0


def test_the_network_s_boxes_are_in_the_order_of_its_places() -> None:
    torch.manual_seed(0)
    network = HoldNetwork().eval()
    with torch.inference_mode():
        logits, boxes = network(torch.zeros(1, 3, 128, 192))
    middles, strides = places(128, 192)
    assert logits.shape == (1, len(middles), 2)
    away = ((boxes[0, :, :2] + boxes[0, :, 2:]) / 2 - middles).abs().amax(-1)
    assert bool((away < 1.5 * strides).all())


def test_average_precision_counts_each_box_once() -> None:
    truth = np.array([[0, 0, 10, 10], [20, 20, 30, 30]], float)
    twice = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 30, 30]], float)
    perfect = curve([Found(truth, np.array([0.9, 0.8]), truth)])
    assert perfect.average_precision() == 1
    doubled = curve([Found(twice, np.array([0.9, 0.8, 0.7]), truth)])
    # precision 1 up to half of the boxes, then 2/3
    assert doubled.average_precision() == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert curve([Found(truth[:1], np.array([0.9]), truth)]).average_precision() == pytest.approx(51 / 101)
    assert curve([Found(np.zeros((0, 4)), np.zeros(0), truth)]).average_precision() == 0
