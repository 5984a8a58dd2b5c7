"""When a body climbs, and when it stands before the wall or on top of it."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from ascension_vision.body.posture import on_wall, phases

Points = npt.NDArray[np.float64]


def standing() -> Points:
    """One upright body, ``(33, 2)`` pixels, arms down."""
    body = np.zeros((33, 2))
    for left, (x, y) in {
        11: (20, 100),
        13: (25, 130),
        15: (25, 160),
        23: (12, 160),
        25: (12, 210),
        27: (12, 260),
    }.items():
        body[left], body[left + 1] = (100 + x, y), (100 - x, y)
    return body


def reaching() -> Points:
    body = standing()
    body[15] = 130, 40
    return body


def footing() -> Points:
    body = standing()
    body[27] = 120, 180
    return body


def upside_down() -> Points:
    return np.array([200, 300]) - standing()


@pytest.mark.parametrize("pose", [reaching, footing, upside_down])
def test_a_raised_hand_a_high_foot_or_a_turned_body_is_on_the_wall(pose: Callable[[], Points]) -> None:
    assert on_wall(pose()[None]).all()


def test_somebody_who_stands_is_not_on_the_wall() -> None:
    assert not on_wall(standing()[None]).any()


def test_nobody_is_not_on_the_wall() -> None:
    assert not on_wall(np.full((1, 33, 2), np.nan)).any()


def test_the_climb_lasts_from_the_first_to_the_last_spell_on_the_wall() -> None:
    spells = [standing()] * 30 + [reaching()] * 40 + [standing()] * 10 + [footing()] * 30 + [standing()] * 20
    assert phases(np.arange(130) / 30, np.array(spells)) == (30, 80, 20)


def test_a_wave_of_the_hand_does_not_begin_the_climb() -> None:
    spells = [standing()] * 20 + [reaching()] * 5 + [standing()] * 20 + [reaching()] * 60
    assert phases(np.arange(105) / 30, np.array(spells)) == (45, 60, 0)


def test_frames_without_anybody_count_as_before_and_after() -> None:
    empty = np.full((33, 2), np.nan)
    assert phases(np.arange(90) / 30, np.array([empty] * 30 + [reaching()] * 30 + [empty] * 30)) == (30, 30, 30)


def test_where_nobody_is_ever_on_the_wall_every_frame_belongs_to_the_climb() -> None:
    assert phases(np.arange(50) / 30, np.array([standing()] * 50)) == (0, 50, 0)
