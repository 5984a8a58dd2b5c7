"""Regions of interest and what the detector's raw numbers become."""

import cv2
import numpy as np
import pytest
import torch
from ascension_vision.pose.blazepose import anchors, refine_by_heat_map, weighted_suppression
from ascension_vision.pose.roi import Roi, between, roi_from_alignment, whole_frame


def test_a_whole_square_frame_is_its_own_crop() -> None:
    image = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    assert np.array_equal(whole_frame(image).crop(image, 64, cv2.BORDER_CONSTANT), image)


def test_a_point_found_in_a_turned_crop_lies_where_it_was_in_the_frame() -> None:
    image = np.zeros((400, 300, 3), np.uint8)
    cv2.circle(image, (180, 250), 6, (255, 255, 255), -1)
    roi = Roi(150, 220, 160, angle=0.7)
    crop = roi.crop(image, 128, cv2.BORDER_CONSTANT)[..., 0].astype(float)
    y, x = np.mgrid[0:128, 0:128]
    centre = np.array([(crop * x).sum(), (crop * y).sum()]) / crop.sum() / 128
    assert roi.to_frame(centre) == pytest.approx([180, 250], abs=0.3)


def test_a_mirrored_crop_is_the_crop_seen_in_a_mirror_and_its_points_lie_where_they_were() -> None:
    image = np.random.default_rng(2).integers(0, 255, (90, 120, 3), dtype=np.uint8)
    image = cv2.GaussianBlur(image, (0, 0), 4).astype(np.uint8)
    plain, mirrored = Roi(60, 40, 50, 0.4), Roi(60, 40, 50, 0.4, mirrored=True)
    crops = [roi.crop(image, 64, cv2.BORDER_REPLICATE).astype(int) for roi in (plain, mirrored)]
    # Regions reach from 0 to their side, pixels to one less: the mirror lies between 31 and 32.
    assert np.abs(crops[0][:, 1:] - crops[1][:, :0:-1]).max() <= 2
    assert mirrored.to_frame(np.array([0.2, 0.7])) == pytest.approx(plain.to_frame(np.array([0.8, 0.7])))


def test_an_upright_body_needs_no_turning_and_a_hanging_one_half_a_turn() -> None:
    upright = roi_from_alignment(np.array([100, 100]), np.array([100, 40]))
    hanging = roi_from_alignment(np.array([100, 100]), np.array([100, 160]))
    assert [upright.angle, upright.side] == pytest.approx([0, 150])
    assert abs(hanging.angle) == pytest.approx(np.pi)


def test_half_way_between_two_regions_is_found_the_short_way_round() -> None:
    middle = between(Roi(0, 0, 100, 3.0), Roi(10, 20, 400, -3.0), 0.5)
    assert [middle.x, middle.y, middle.side] == pytest.approx([5, 10, 200])
    assert abs(middle.angle) == pytest.approx(np.pi)


def test_anchors_cover_the_crop_as_the_network_expects() -> None:
    grid = anchors()
    assert grid.shape == (2254, 2)
    assert grid[0] == pytest.approx([0.5 / 28, 0.5 / 28])
    assert grid[2] == pytest.approx([1.5 / 28, 0.5 / 28])  # two anchors a cell, row by row
    assert grid[-1] == pytest.approx([6.5 / 7, 6.5 / 7])


def test_overlapping_boxes_are_averaged_by_score_and_others_left_alone() -> None:
    values = np.array([[0.50, 0.5, 0.2, 0.2, 0.1], [0.52, 0.5, 0.2, 0.2, 0.4], [0.9, 0.9, 0.1, 0.1, 0.7]])
    (first, merged), (second, alone) = weighted_suppression(np.array([0.9, 0.6, 0.7]), values)
    assert (first, second) == (0.9, 0.7)
    assert merged == pytest.approx((0.9 * values[0] + 0.6 * values[1]) / 1.5)
    assert alone == pytest.approx(values[2])


def test_a_confident_heat_map_moves_a_landmark_to_its_centre_and_a_doubtful_one_does_not() -> None:
    heat_map = torch.full((1, 2, 64, 64), -20.0)
    heat_map[0, 0, 31, 33] = 8.0
    heat_map[0, 1, 31, 33] = -1.0
    points = torch.full((1, 2, 2), 0.5)
    refined = refine_by_heat_map(points, heat_map)[0]
    assert refined[0].tolist() == pytest.approx([33 / 64, 31 / 64], abs=1e-4)
    assert refined[1].tolist() == [0.5, 0.5]
