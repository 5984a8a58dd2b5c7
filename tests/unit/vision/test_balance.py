"""Where the Ghost's centre of gravity may go while its contacts hold it."""

import numpy as np
import numpy.typing as npt
import pytest
from ascension_vision.body.forces import BALANCED
from ascension_vision.contacts.contact import LIMBS
from ascension_vision.ghost.balance import Balance
from ascension_vision.ghost.ghost import GhostContact
from ascension_vision.ghost.timeline import Timeline
from ascension_vision.metrics.movement import least_jerk
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]

RATE, JERK = 15.0, 2.0
OVERHANG = Wall(np.eye(3, 4), 25.0, "user", "climber_height", 0.0)
HANDS = {0: (-0.3, 2.0, 0.06), 1: (0.3, 2.2, 0.06)}


def plan(holding: dict[int, tuple[float, float, float]], count: int = 40) -> Timeline:
    t = np.arange(count) / RATE
    points, on = np.full((count, 4, 3), np.nan), np.zeros((count, 4), np.bool_)
    contacts = []
    for limb, place in holding.items():
        points[:, limb], on[:, limb] = place, True
        contacts.append(GhostContact(LIMBS[limb], None, 0.0, float(t[-1]), place))
    return Timeline(t, t, on, points, [], contacts)


def held(timeline: Timeline, wanted: Array) -> tuple[Array, Array]:
    balance = Balance(timeline, {}, OVERHANG, "cpu")
    path = balance.held(wanted, np.full(len(wanted), 0.1), RATE, JERK)
    return path, np.linalg.norm(balance.missing(path), axis=1)


def test_a_body_that_hangs_by_both_hands_is_brought_to_hang_under_them() -> None:
    timeline = plan(HANDS)
    path, missing = held(timeline, np.tile([0.05, 1.2, 0.1], (40, 1)))
    assert missing.max() < BALANCED
    # on an overhang that is off the wall
    below = 2.1 - path[:, 1]
    assert (path[:, 2] - 0.06 - below * np.tan(np.radians(25))).mean() == pytest.approx(0.0, abs=0.03)


def test_hanging_by_one_hand_the_body_comes_to_the_side_of_that_hand() -> None:
    path, missing = held(plan({1: HANDS[1]}), np.tile([0.1, 1.3, 0.4], (40, 1)))
    assert missing.max() < BALANCED
    assert path[:, 0] == pytest.approx(0.3, abs=0.03)


def test_a_path_that_the_contacts_hold_is_left_alone() -> None:
    standing = HANDS | {2: (-0.3, 0.3, 0.04), 3: (0.3, 0.3, 0.04)}
    wanted = np.column_stack([np.linspace(-0.05, 0.05, 40), np.full(40, 1.2), np.full(40, 0.35)])
    path, missing = held(plan(standing), wanted)
    assert missing.max() < BALANCED
    assert path == pytest.approx(least_jerk(wanted, np.full(40, 0.1), RATE, JERK), abs=1e-6)


def test_where_nothing_is_held_the_path_is_what_it_would_be() -> None:
    wanted = np.tile([0.0, 1.0, 0.4], (40, 1))
    path, missing = held(plan({}), wanted)
    assert path == pytest.approx(wanted, abs=1e-6)
    assert missing.min() > 0.9
