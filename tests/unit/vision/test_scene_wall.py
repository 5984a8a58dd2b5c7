"""Pictures of walls to train detectors with: the truth agrees with the pixels, and no seed looks like another."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from ascension_vision.scene import SeenHold, WallViewOptions, wall_view
from ascension_vision.scene.holds import HOLD_TYPES

WIDTH, HEIGHT = 320, 240
View = tuple[npt.NDArray[np.uint8], list[SeenHold]]


def _view(seed: int, **options: Any) -> View:
    return wall_view(WallViewOptions(seed=seed, width=WIDTH, height=HEIGHT, **options))


@pytest.fixture(scope="module")
def views() -> list[View]:
    return [_view(seed) for seed in range(24)]


def test_the_same_seed_gives_the_same_picture_and_another_seed_another() -> None:
    image, holds = _view(5)
    again, same = _view(5)
    other, _ = _view(6)
    assert np.array_equal(image, again)
    assert [hold.box for hold in holds] == [hold.box for hold in same]
    assert not np.array_equal(image, other)


def test_the_picture_has_the_size_asked_for() -> None:
    image, _ = wall_view(WallViewOptions(seed=1, width=351, height=203))
    assert image.shape == (203, 351, 3)
    assert image.dtype == np.uint8


def test_every_hold_lies_in_the_picture_and_its_box_bounds_its_outline(views: list[View]) -> None:
    for _, holds in views:
        for hold in holds:
            x0, y0, x1, y1 = hold.box
            assert 0 <= x0 < x1 <= WIDTH
            assert 0 <= y0 < y1 <= HEIGHT
            assert np.allclose([*hold.outline.min(axis=0), *hold.outline.max(axis=0)], hold.box)
            assert 1 / 3 <= hold.visible <= 1
            assert (hold.kind == "volume") == (hold.type == "volume")


def test_all_types_and_many_colours_occur(views: list[View]) -> None:
    seen = [hold for _, holds in views for hold in holds]
    assert {hold.type for hold in seen} == set(HOLD_TYPES)
    assert len({hold.color for hold in seen}) >= 8
    assert sum(not holds for _, holds in views) < 6


def test_walls_differ_in_light_and_in_the_number_of_holds(views: list[View]) -> None:
    brightness = [image.mean() for image, _ in views]
    numbers = [len(holds) for _, holds in views]
    assert np.ptp(brightness) > 60
    assert min(numbers) < 8
    assert max(numbers) > 40


def test_boxes_hold_something_that_the_wall_beside_them_has_not() -> None:
    there, missed = 0.0, 0
    for seed in range(8):
        image, holds = _view(seed, span_m=3.0, density=4.0)
        for hold in holds:
            x0, y0, x1, y1 = (int(edge) for edge in hold.box)
            inside = image[y0 : y1 + 1, x0 : x1 + 1].reshape(-1, 3).astype(float)
            left = image[y0 : y1 + 1, max(x0 - 8, 0) : max(x0 - 2, 1)].reshape(-1, 3).astype(float)
            differs = np.linalg.norm(inside - np.median(left, axis=0), axis=1) > 18
            there += 1
            missed += differs.mean() < 0.15
    assert there > 40
    assert missed < 0.1 * there


def test_a_bare_wall_has_no_holds_but_is_not_blank() -> None:
    for seed in range(4):
        image, holds = _view(seed, holds=False)
        assert holds == []
        assert image.std() > 3


def test_density_and_span_are_obeyed() -> None:
    def count(density: float, span: float) -> int:
        views = [_view(seed, density=density, span_m=span) for seed in range(4)]
        return sum(len(holds) for _, holds in views)

    assert count(12.0, 3.0) > 2 * count(2.0, 3.0)


def test_a_picture_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="at least"):
        WallViewOptions(width=8)
