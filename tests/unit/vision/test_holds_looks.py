"""Outlines, colours, routes and the merging of boxes: everything about found holds that no network says."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from ascension_vision.holds.boxes import Boxes, agreed, merged
from ascension_vision.holds.finding import Trust
from ascension_vision.holds.outline import outlined
from ascension_vision.holds.route import routes

PAINTS = {
    "red": (190, 30, 35), "orange": (240, 120, 20), "yellow": (245, 210, 20), "green": (30, 140, 60),
    "blue": (25, 80, 190), "purple": (95, 50, 150), "pink": (240, 80, 160), "black": (25, 25, 28),
    "white": (240, 240, 238), "turquoise": (40, 180, 190),
}  # fmt: skip
WOOD, GRAY = (214, 186, 148), (128, 128, 130)
BOX = np.array([[60.0, 40.0, 140.0, 100.0]])


def wall(paint: tuple[int, int, int] | None, background: tuple[int, int, int] = WOOD) -> npt.NDArray[np.uint8]:
    """A wall with grain and one elliptic hold that fills ``BOX``."""
    rng = np.random.default_rng(4)
    image = np.full((150, 200, 3), background, np.float32) + rng.normal(0, 4, (150, 200, 1))
    if paint:
        hold = np.full_like(image, paint) * np.linspace(1.1, 0.8, 150)[:, None, None]
        mask = cv2.ellipse(np.zeros((150, 200), np.uint8), (100, 70), (40, 30), 0, 0, 360, 1, -1)
        image = np.where(mask[..., None] > 0, hold, image)
    return np.clip(image, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", PAINTS)
@pytest.mark.parametrize("background", [WOOD, GRAY])
def test_a_painted_hold_has_the_colour_it_was_painted_in(name: str, background: tuple[int, int, int]) -> None:
    assert outlined(wall(PAINTS[name], background), BOX)[0].color == name


def test_chalk_on_a_hold_does_not_change_its_colour() -> None:
    image = wall(PAINTS["blue"])
    image[45:68, 75:125] = (225, 225, 228)
    assert outlined(image, BOX)[0].color == "blue"


def test_the_outline_follows_a_hold_that_stands_out() -> None:
    look = outlined(wall(PAINTS["red"]), BOX)[0]
    drawn = cv2.fillPoly(np.zeros((150, 200), np.uint8), [np.round(look.outline).astype(np.int32)], 1) > 0
    truth = cv2.ellipse(np.zeros((150, 200), np.uint8), (100, 70), (40, 30), 0, 0, 360, 1, -1) > 0
    assert look.seen
    assert (drawn & truth).sum() / (drawn | truth).sum() > 0.88


def test_a_hold_like_its_wall_is_outlined_by_the_ellipse_in_its_box() -> None:
    look = outlined(wall(None), BOX)[0]
    assert not look.seen
    np.testing.assert_allclose(look.outline.mean(axis=0), [100, 70], atol=0.5)
    np.testing.assert_allclose(look.outline.max(axis=0) - look.outline.min(axis=0), [80, 60], atol=1)


def test_boxes_at_the_picture_s_edge_and_of_a_pixel_have_an_outline() -> None:
    boxes = np.array([[0.0, 0.0, 12.0, 9.0], [199.0, 149.0, 200.0, 150.0], [50.0, 50.0, 51.0, 51.0]])
    assert [len(look.outline) >= 4 for look in outlined(wall(None), boxes)] == [True, True, True]


def test_holds_of_one_colour_within_reach_are_a_route_and_volumes_are_of_none() -> None:
    centers = np.array([[10, 10], [20, 30], [30, 50], [900, 900], [910, 880], [890, 860], [15, 20], [20, 20]], float)
    colors = ["red", "red", "red", "red", "red", "red", "blue", "red"]
    kinds = ["hold"] * 7 + ["volume"]
    assert routes(centers, colors, kinds) == [0, 0, 0, 1, 1, 1, None, None]
    assert routes(np.zeros((0, 2)), [], []) == []


def test_looks_that_agree_become_one_box_between_them() -> None:
    corners = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60], [0, 0, 10, 10]], float)
    found = merged(Boxes(corners, np.array([0.6, 0.6, 0.3, 0.2]), np.array([0, 0, 0, 1])))
    np.testing.assert_allclose(found.corners, np.array([[0.5, 0, 10.5, 10], [50, 50, 60, 60], [0, 0, 10, 10.0]]))
    assert found.kinds.tolist() == [0, 0, 1]


def test_what_one_look_alone_sees_is_half_as_sure_as_what_two_see() -> None:
    one = Boxes(np.array([[0, 0, 10, 10], [50, 50, 60, 60.0]]), np.array([0.6, 0.9]), np.array([1, 1]))
    other = Boxes(np.array([[1, 0, 11, 10], [0, 0, 9, 10.0]]), np.array([0.8, 0.3]), np.array([1, 1]))
    found = agreed([one, other])
    np.testing.assert_allclose(found.scores, [(0.6 + 0.8) / 2, 0.9 / 2])
    assert abs(found.corners[0, 0] - 0.5) < 0.5


def test_a_chance_is_the_logistic_of_the_score_by_kind() -> None:
    trust = Trust(slope=(2.0, 1.0), offset=(0.0, 1.0))
    chances = trust.chances(Boxes(np.zeros((2, 4)), np.array([0.5, 0.5]), np.array([0, 1])))
    np.testing.assert_allclose(chances, np.array([0.5, 1 / (1 + np.exp(-1))]))
