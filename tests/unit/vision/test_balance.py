"""Where the Ghost's centre of gravity may go while its contacts hold it."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from ascension_vision.body.forces import BALANCED, GRAVITY
from ascension_vision.contacts.contact import LIMBS
from ascension_vision.ghost.balance import Balance, Room
from ascension_vision.ghost.ghost import GhostContact
from ascension_vision.ghost.path import Course
from ascension_vision.ghost.timeline import Timeline
from ascension_vision.metrics.movement import least_jerk
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]

RATE, JERK = 15.0, 2.0
OVERHANG = Wall(np.eye(3, 4), 25.0, "user", "climber_height", 0.0)
ANYWHERE = Room(np.zeros(4), np.full(4, np.inf), -10.0)
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
    balance = Balance(timeline, {}, OVERHANG, "cpu", ANYWHERE)
    path, _ = balance.held(aim(wanted))
    return path, np.linalg.norm(balance.missing(path), axis=1)


def aim(wanted: Array, quick: bool = False) -> Course:
    alike = np.ones(len(wanted))
    course = Course(wanted, 0.1 * alike, JERK * alike, 0.1 * alike, alike < 1, RATE)
    return course.loosened(alike > 0) if quick else course


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


def leap(flight: float) -> Timeline:
    """Two hands on, nothing for so long, and two hands on 40 cm higher."""
    count = 40
    t = np.arange(count) / RATE
    off, lands = 18, 18 + round(flight * RATE)
    points, on, contacts = np.full((count, 4, 3), np.nan), np.zeros((count, 4), np.bool_), []
    for limb, (x, y, z) in HANDS.items():
        for during, place in ((slice(0, off + 1), (x, y, z)), (slice(lands, count), (x, y + 0.4, z))):
            points[during, limb], on[during, limb] = place, True
            first, last = t[during][[0, -1]]
            contacts.append(GhostContact(LIMBS[limb], None, float(first), float(last), place))
    return Timeline(t, t, on, points, [], contacts)


def test_in_flight_the_path_is_a_parabola_that_the_contacts_before_and_after_can_push() -> None:
    timeline = leap(0.3)
    rising = np.column_stack([np.full(40, 0.02), 1.4 + 0.4 * (np.arange(40) > 20), np.full(40, 0.5)])
    balance = Balance(timeline, {}, OVERHANG, "cpu", ANYWHERE)
    path, _ = balance.held(aim(rising, quick=True))
    # at the very ends an acceleration is known from one side only
    assert np.linalg.norm(balance.missing(path), axis=1)[2:-2].max() < BALANCED
    flying = np.flatnonzero(~timeline.on.any(axis=1))
    fall = np.diff(path, 2, axis=0)[flying - 1] * RATE**2
    assert len(flying) >= 3
    assert fall == pytest.approx(np.tile(-GRAVITY * OVERHANG.up, (len(flying), 1)), abs=1.0)


def test_a_stance_that_cannot_be_held_still_is_passed_with_speed() -> None:
    """A sloper gives a hand no force more than 30 degrees into the wall, feet 35, and this wall leans by 40: while the
    other hand is off the jug nobody stays anywhere, but for half a second somebody can move in and out again."""
    steep = Wall(np.eye(3, 4), 40.0, "user", "climber_height", 0.0)
    places = {0: (-0.2, 2.0, 0.06), 1: (0.3, 2.0, 0.06), 2: (-0.1, 0.7, 0.04), 3: (0.3, 0.7, 0.04)}
    timeline = plan(places)
    off, lands = 16, 23
    on, points = timeline.on.copy(), timeline.points.copy()
    on[off + 1 : lands, 1], points[off + 1 : lands, 1] = False, np.nan
    t, first = (
        timeline.t,
        [GhostContact(LIMBS[limb], limb, 0.0, float(timeline.t[-1]), places[limb]) for limb in places],
    )
    jug = [replace(first[1], end=float(t[off])), replace(first[1], start=float(t[lands]))]
    timeline = replace(timeline, on=on, points=points, contacts=[first[0], *jug, *first[2:]])
    balance = Balance(timeline, {0: "sloper", 1: "jug"}, steep, "cpu", ANYWHERE)
    still = np.tile([0.05, 1.3, 0.4], (40, 1))
    assert balance.lacking(still)[off + 1 : lands].min() > 5
    path, lacks = balance.held(aim(still, quick=True))
    assert lacks.max() < 1
    assert np.linalg.norm(path - still, axis=1).max() < 0.5


def test_a_body_swings_under_one_hand_as_a_pendulum_does() -> None:
    """Its centre of gravity is pulled towards the hand and down, and nowhere else."""
    timeline = plan({1: HANDS[1]})
    across = 0.3 + 0.25 * np.cos(2 * np.pi * timeline.t / 2.0)
    wanted = np.column_stack([across, np.full(40, 1.2), np.full(40, 0.5)])
    balance = Balance(timeline, {}, OVERHANG, "cpu", ANYWHERE)
    path, _ = balance.held(aim(wanted, quick=True))
    assert np.linalg.norm(balance.missing(path), axis=1).max() < BALANCED
    assert np.ptp(path[:, 0]) > 0.25
    inner = slice(3, -3)
    pull = (np.diff(path, 2, axis=0) * RATE**2 + GRAVITY * OVERHANG.up)[2:-2]
    arm = np.array(HANDS[1]) - path[inner]
    turned = np.linalg.norm(np.cross(pull, arm), axis=1) / np.linalg.norm(pull, axis=1) / np.linalg.norm(arm, axis=1)
    assert turned.max() < 0.05


def test_the_path_stays_where_a_body_can_be() -> None:
    near, far = np.full(4, 0.4), np.full(4, 1.0)
    balance = Balance(plan(HANDS), {}, OVERHANG, "cpu", Room(near, far, 0.2))
    path, _ = balance.held(aim(np.tile([0.05, 0.7, 0.1], (40, 1))))
    for place in HANDS.values():
        assert np.linalg.norm(path - place, axis=1).max() < 1.02
    assert path[:, 2].min() > 0.18


def test_a_body_that_never_holds_on_falls() -> None:
    wanted = np.tile([0.0, 1.0, 0.4], (40, 1))
    path, _ = held(plan({}), wanted)
    fall = np.diff(path, 2, axis=0)[5:-5] * RATE**2
    assert fall == pytest.approx(np.tile(-GRAVITY * OVERHANG.up, (len(fall), 1)), abs=0.3)
