"""Visibility is a chance of being right: more evidence, more trust."""

from dataclasses import replace

import numpy as np
from ascension_vision.body.trust import trust
from ascension_vision.pose.following import Poses


def body(visibility: float = 0.9, peak: float = 0.7) -> Poses:
    points = np.random.default_rng(0).normal(0, 100, (5, 33, 3)) + 500
    points[:, 11:13, 1] -= 300
    return Poses(
        t=np.arange(5) / 30,
        points=points,
        visibility=np.full((5, 33), visibility),
        world=points / 500,
        width=1000,
        height=1000,
        peak=np.full((5, 33), peak),
    )


def test_a_landmark_that_is_seen_clearly_is_trusted() -> None:
    assert (trust(body(0.99, 0.8), body(0.99, 0.8)) > 0.9).all()


def test_a_blurred_heat_map_costs_trust() -> None:
    assert (trust(body(peak=0.3), body(peak=0.3)) < 0.6).all()


def test_less_visible_means_less_trusted() -> None:
    assert (trust(body(0.3), body(0.3)) < trust(body(0.9), body(0.9))).all()


def test_a_landmark_that_cleaning_moved_is_trusted_less() -> None:
    moved = replace(body(), points=body().points + np.array([60.0, 0, 0]))
    assert (trust(body(), moved) < trust(body(), body())).all()


def test_nobody_has_no_visibility() -> None:
    unseen = body()
    for array in (unseen.points, unseen.visibility, unseen.world):
        array[2] = np.nan
    assert np.isnan(trust(unseen, unseen)[2]).all()
    assert np.isfinite(trust(unseen, unseen)[[0, 1, 3, 4]]).all()
