"""Angles, centre of gravity and movement of bodies whose truth is known."""

import numpy as np
import numpy.typing as npt
import pytest
from ascension_vision.body.angles import joint_angles
from ascension_vision.body.gravity import SEGMENTS, centre_of_gravity
from ascension_vision.metrics.movement import geometric_entropy, immobility

Array = npt.NDArray[np.float64]


def body() -> Array:
    """``(1, 33, 3)``: some asymmetric body."""
    return np.random.default_rng(0).normal(0, 0.4, (1, 33, 3))


@pytest.mark.parametrize("degrees", [0.0, 30.0, 90.0, 179.9, 180.0])
def test_an_elbow_bent_by_construction_reads_so(degrees: float) -> None:
    pose = body()
    pose[0, 13] = 0
    pose[0, 11] = (0.3, 0, 0)
    pose[0, 15] = 0.25 * np.array([np.cos(np.radians(degrees)), 0, np.sin(np.radians(degrees))])
    assert joint_angles(pose)["left_elbow"][0] == pytest.approx(degrees, abs=1e-6)


def test_angles_do_not_depend_on_where_the_body_is_or_how_large() -> None:
    pose = body()
    moved = joint_angles(3 * pose + (1, -2, 5))
    assert all(moved[name] == pytest.approx(angle) for name, angle in joint_angles(pose).items())


def test_segment_masses_make_up_a_body() -> None:
    assert sum(segment.mass for segment in SEGMENTS) == pytest.approx(1, abs=0.005)


def test_the_centre_of_gravity_moves_with_the_body() -> None:
    pose, offset = body(), np.array([1, 2, 3])
    assert centre_of_gravity(pose + offset) == pytest.approx(centre_of_gravity(pose) + offset)


def test_a_standing_body_balances_between_navel_and_hips() -> None:
    pose = np.zeros((1, 33, 2))
    heights = {
        7: 1.62,
        11: 1.42,
        13: 1.12,
        15: 0.86,
        17: 0.78,
        19: 0.78,
        23: 0.92,
        25: 0.5,
        27: 0.08,
        29: 0.03,
        31: 0.03,
    }
    for landmark, height in heights.items():
        pose[0, [landmark, landmark + 1], 1] = height
    assert 0.9 < centre_of_gravity(pose)[0, 1] < 1.05


def test_raising_the_arms_raises_the_centre_of_gravity_by_their_share() -> None:
    pose = body()
    raised = pose.copy()
    raised[0, 13:23, 1] += 1  # elbows and everything beyond
    gain = (centre_of_gravity(raised) - centre_of_gravity(pose))[0, 1]
    assert gain == pytest.approx(2 * (0.0263 * 0.576 + 0.015 + 0.00585), abs=0.002)


def test_a_straight_path_has_no_entropy_and_a_detour_some() -> None:
    line = np.column_stack([np.linspace(0, 1, 20), np.zeros(20)])
    there_and_back = np.concatenate([line, line[::-1], line])
    assert geometric_entropy(line) == pytest.approx(0)
    assert geometric_entropy(there_and_back) == pytest.approx(np.log(3))
    assert geometric_entropy(np.zeros((5, 2))) is None


def test_immobility_is_the_share_of_time_at_rest() -> None:
    t = np.arange(101) / 10
    hips = np.column_stack([np.concatenate([np.zeros(51), np.arange(1, 51)]), np.zeros(101)])
    assert immobility(t, hips, torso=10) == pytest.approx(0.5)


def test_time_out_of_sight_does_not_count_as_rest() -> None:
    t = np.arange(101) / 10
    hips = np.zeros((101, 2))
    hips[:50] = np.nan
    assert immobility(t, hips, torso=10) == 1
    assert immobility(t, np.full((101, 2), np.nan), torso=10) is None
