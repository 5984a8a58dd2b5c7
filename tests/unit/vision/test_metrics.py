"""What is measured of a climb: definitions on paths made for them, and all metrics of a climb whose truth is known."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from ascension_vision.body.motion import BodyMotion
from ascension_vision.contacts.contact import Contact
from ascension_vision.ghost.finding import find_ghost
from ascension_vision.ghost.ghost import Ghost, GhostContact, NoGhost
from ascension_vision.metrics.catalogue import CATALOGUE
from ascension_vision.metrics.effort import effort
from ascension_vision.metrics.measuring import Findings, measure
from ascension_vision.metrics.metric import Metric
from ascension_vision.metrics.movement import log_dimensionless_jerk, path_ratio, steadied
from ascension_vision.metrics.reach import longest_reach
from ascension_vision.scene import SceneOptions, StyleOptions

from tests.unit.vision.climbs import Climb, climb, short_climb

T = np.linspace(0, 2, 121)
# From rest to rest with least jerk.
REACH = (T / 2) ** 3 * (10 - 15 * (T / 2) + 6 * (T / 2) ** 2)


@cache
def usual() -> dict[str, Metric]:
    return measure(findings())


def findings() -> Findings:
    climb = short_climb()
    return Findings(climb.poses, climb.motion, climb.wall, climb.holds, climb.contacts, NoGhost("Not asked for."))


def test_least_jerk_from_rest_to_rest_has_the_value_of_its_formula() -> None:
    # T^3 / v^2 * integral of jerk^2 = T^3 / (1.875 D / T)^2 * 720 D^2 / T^5
    expected = -np.log(720 / 1.875**2)
    path = np.stack([REACH, 0 * T], axis=1)
    assert log_dimensionless_jerk(T, path) == pytest.approx(expected, abs=0.1)


def test_smoothness_depends_neither_on_size_nor_on_speed() -> None:
    path = np.stack([REACH, 0.3 * REACH**2], axis=1)
    assert log_dimensionless_jerk(3 * T, 5 * path) == pytest.approx(log_dimensionless_jerk(T, path))


def test_a_detour_has_a_path_ratio_above_one() -> None:
    assert path_ratio(np.array([[0.0, 0], [1, 0], [2, 0]])) == pytest.approx(1)
    assert path_ratio(np.array([[0.0, 0], [1, 1], [2, 0]])) == pytest.approx(2**0.5)
    assert path_ratio(np.zeros((3, 2))) is None


def test_steadying_takes_the_tremble_and_leaves_the_move() -> None:
    path = np.stack([REACH, 0 * T], axis=1)
    trembling = path + 0.02 * np.random.default_rng(1).normal(size=path.shape)
    even, steady = steadied(T, trembling)
    true = np.interp(even, T, REACH)
    assert np.abs(steady[:, 0] - true).max() < 0.03
    assert np.abs(np.diff(steady[:, 1], 3)).max() < 0.3 * np.abs(np.diff(trembling[:, 1], 3)).max()


def test_reach_is_from_the_arriving_hand_to_the_farthest_foot() -> None:
    touches = [
        GhostContact("left_hand", 1, 1.5, 9.0, (0.0, 1.5, 0.0)),
        GhostContact("left_foot", 2, 0.0, 9.0, (0.0, 0.3, 0.0)),
        GhostContact("right_foot", 3, 0.0, 1.0, (0.0, -5.0, 0.0)),
        GhostContact("right_hand", 4, 2.0, 9.0, (0.0, 2.0, 0.0)),
    ]
    found = longest_reach(touches)
    assert found is not None
    assert found == pytest.approx((1.7, 2.0))
    # where times are known to half a second the right foot was on when the left hand arrived
    assert longest_reach(touches, about=0.6) == pytest.approx((6.5, 1.5))
    assert longest_reach(touches[1:3]) is None


def test_more_load_more_way_and_more_time_cost_more() -> None:
    path = np.stack([REACH, 0 * T, 0 * T], axis=1)
    strain, held = np.full(121, 0.3), np.ones(121, dtype=np.bool_)
    usual = effort(T, path, strain, held, 1.7).cost
    assert effort(T, path, 1.2 * strain, held, 1.7).cost > usual
    assert effort(1.2 * T, path, strain, held, 1.7).cost > usual
    wandering = path + 0.1 * np.sin(4 * T)[:, None]
    assert effort(T, wandering, strain, held, 1.7).cost > usual


def test_every_metric_has_a_value_or_a_reason_and_its_error() -> None:
    for name, metric in usual().items():
        if metric.value is None:
            assert metric.reason, name
            assert len(metric.reason) <= 120
        else:
            assert metric.uncertainty is not None, name
            assert metric.uncertainty >= 0
        assert metric.unit == CATALOGUE[name].unit


def test_measuring_again_gives_the_same_numbers() -> None:
    assert measure(findings()) == usual()


def test_holds_count_once_they_were_used_for_half_a_second_and_lengths_are_as_uncertain_as_the_scale() -> None:
    climb = short_climb()
    touched = replace(climb.contacts[0], hold_id=999, start=0.0, end=0.4)
    rough = replace(climb.wall, scale_error=0.2)
    found = measure(replace(findings(), contacts=[*climb.contacts, touched], wall=rough))
    expected = {c.hold_id for c in climb.contacts if c.end - c.start >= 0.5}
    assert found["hold_count"].value == len(expected)
    reach = found["max_reach_cm"]
    assert reach.value is not None
    assert reach.uncertainty is not None
    assert reach.uncertainty > 0.3 * reach.value


def test_a_hand_that_is_on_when_the_video_begins_has_not_arrived() -> None:
    climb = short_climb()
    began = [contact for contact in climb.contacts if contact.start == 0]
    found = measure(replace(findings(), contacts=began))["max_reach_cm"]
    assert found.value is None
    assert found.reason == "No hand arrives while anything else is on a hold."


def test_the_more_doubtful_the_contacts_the_less_sure_is_what_follows_from_them() -> None:
    doubtful = [replace(contact, confidence=0.5) for contact in short_climb().contacts]
    found = measure(replace(findings(), contacts=doubtful))
    for name in ("max_reach_cm", "climb_duration_s", "geometric_entropy"):
        assert uncertainty(found, name) > uncertainty(usual(), name), name


def test_loads_are_less_sure_where_the_walls_angle_was_only_assumed() -> None:
    found = measure(replace(findings(), wall=replace(short_climb().wall, angle_source="assumed")))
    assert uncertainty(found, "avg_tension") > uncertainty(usual(), "avg_tension")


def uncertainty(metrics: dict[str, Metric], name: str) -> float:
    error = metrics[name].uncertainty
    assert error is not None
    return error


def regripped() -> list[Contact]:
    """The climb's contacts, with a hand that lets go of its hold once and grips it again."""
    contacts = short_climb().contacts
    longest = max((c for c in contacts if c.limb.endswith("hand")), key=lambda c: c.end - c.start)
    away = longest.start + 0.5
    parts = [replace(longest, end=away), replace(longest, start=away + 0.4)]
    return [c for c in contacts if c is not longest] + parts


def test_how_long_a_climb_takes_is_never_known_more_surely_than_to_half_a_second() -> None:
    assert uncertainty(usual(), "climb_duration_s") >= 0.5


def test_a_regrip_is_counted_and_never_more_surely_than_to_one() -> None:
    found = measure(replace(findings(), contacts=regripped()))["regrip_count"]
    assert found.value == 1
    assert found.uncertainty is not None
    assert found.uncertainty >= 1


@cache
def its_ghost() -> Ghost:
    climb = short_climb()
    found = find_ghost(climb.motion, climb.contacts, climb.holds, climb.wall)
    assert isinstance(found, Ghost)
    return found


def test_an_expert_is_efficient_and_the_error_of_that_is_told() -> None:
    found = measure(replace(findings(), ghost=its_ghost()))
    efficiency = found["movement_efficiency"].value
    assert efficiency is not None
    assert efficiency > 0.9
    assert 0 < uncertainty(found, "movement_efficiency") < 0.4


def test_the_efficiency_allows_for_regrips_and_fidgets_that_nobody_saw() -> None:
    clumsy = climb(SceneOptions(seed=7, duration_s=4.6, fps=12, style=StyleOptions.graded(0.6)))
    unseen: list[Contact] = []
    for one in clumsy.contacts:
        before = unseen[-1] if unseen else None
        if before is not None and (before.limb, before.hold_id) == (one.limb, one.hold_id):
            unseen[-1] = replace(before, end=one.end)
        else:
            unseen.append(one)
    (true, _), (seen, error) = (efficiency_of(clumsy, contacts) for contacts in (clumsy.contacts, unseen))
    assert seen > true
    assert seen - true < error


def efficiency_of(climb: Climb, contacts: list[Contact]) -> tuple[float, float]:
    """The efficiency with these contacts, and its uncertainty."""
    ghost = find_ghost(climb.motion, contacts, climb.holds, climb.wall)
    found = measure(Findings(climb.poses, climb.motion, climb.wall, climb.holds, contacts, ghost))
    value = found["movement_efficiency"].value
    assert value is not None
    return value, uncertainty(found, "movement_efficiency")


def test_wrong_contacts_make_the_efficiency_doubtful() -> None:
    doubtful = [replace(contact, confidence=0.6) for contact in short_climb().contacts]
    sure, unsure = (
        uncertainty(measure(replace(findings(), ghost=its_ghost(), contacts=contacts)), "movement_efficiency")
        for contacts in (short_climb().contacts, doubtful)
    )
    assert unsure > 1.3 * sure


def test_a_ghost_that_costs_more_than_the_climb_is_no_measure_of_it() -> None:
    ghost = its_ghost()
    slow = replace(
        ghost, t=3 * ghost.t, contacts=[replace(c, start=3 * c.start, end=3 * c.end) for c in ghost.contacts]
    )
    found = measure(replace(findings(), ghost=slow))["movement_efficiency"]
    assert found.value is None
    assert found.reason is not None
    assert "costs more" in found.reason


def test_an_efficiency_that_could_be_anything_is_none() -> None:
    doubtful = [replace(contact, confidence=0.2) for contact in short_climb().contacts]
    found = measure(replace(findings(), ghost=its_ghost(), contacts=doubtful))["movement_efficiency"]
    assert found.value is None
    assert found.uncertainty is None
    assert found.reason is not None
    assert "doubtful" in found.reason


def test_a_load_that_could_be_twice_as_much_or_nothing_is_none() -> None:
    motion = short_climb().motion
    badly_seen = replace(motion, error_px=np.full(len(motion.t), 200.0))
    found = measure(replace(findings(), motion=badly_seen))["avg_tension"]
    assert found.value is None
    assert found.reason is not None
    assert "too doubtful" in found.reason


def test_without_a_wall_only_what_pictures_tell_is_measured() -> None:
    found = measure(Findings(short_climb().poses))
    assert {name for name, metric in found.items() if metric.value is not None} == {"geometric_entropy", "immobility"}
    assert found["immobility"].assumes == "a camera that stands still"


def test_without_contacts_loads_are_unknown() -> None:
    found = measure(replace(findings(), contacts=[]))
    assert found["avg_tension"].value is None
    assert found["hold_count"].value is None
    assert found["path_ratio"].value is not None


def test_a_body_that_was_not_placed_is_not_measured_in_space() -> None:
    motion = short_climb().motion
    few = BodyMotion(
        motion.model, motion.frames[:3], motion.t[:3], motion.pose[:3], motion.landmarks[:3],
        motion.gravity_centre[:3], motion.error_px[:3],
    )  # fmt: skip
    assert measure(replace(findings(), motion=few))["path_ratio"].value is None
