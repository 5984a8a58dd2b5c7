"""The Ghost Climber on climbs whose truth is known: what it leaves out, what it keeps, and its proof."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from ascension_vision.body.model import BONES, TIPS
from ascension_vision.body.motion import BodyMotion
from ascension_vision.contacts.contact import LIMBS, Contact
from ascension_vision.ghost.beta import Beta, Stay, edit
from ascension_vision.ghost.finding import find_ghost
from ascension_vision.ghost.ghost import Ghost, NoGhost
from ascension_vision.ghost.path import sharp_accelerations
from ascension_vision.ghost.support import with_needed_feet, with_standing_feet
from ascension_vision.ghost.timeline import Timeline, lay_out
from ascension_vision.metrics.movement import least_jerk
from ascension_vision.scene import SceneOptions

from tests.unit.vision.climbs import Climb, climb, short_climb

Array = npt.NDArray[np.float64]


def ghost_of(climb: Climb, contacts: list[Contact] | None = None) -> Ghost:
    found = find_ghost(climb.motion, climb.contacts if contacts is None else contacts, climb.holds, climb.wall)
    assert isinstance(found, Ghost), found
    return found


@pytest.fixture(scope="module")
def ghost() -> Ghost:
    return ghost_of(short_climb())


def regripped(climb: Climb) -> tuple[list[Contact], Contact]:
    """The climb's contacts with a hand that leaves its hold and comes back before anything else happens, and that
    hand's contact as it was."""
    longest = max((c for c in climb.contacts if c.limb.endswith("hand")), key=lambda c: c.end - c.start)
    away = longest.start + 0.15
    parts = [replace(longest, end=away), replace(longest, start=away + 0.3)]
    return [c for c in climb.contacts if c is not longest] + parts, longest


def test_every_bone_keeps_its_length(ghost: Ghost) -> None:
    for one, other in BONES:
        length = np.linalg.norm(ghost.landmarks[:, one] - ghost.landmarks[:, other], axis=1)
        assert np.ptp(length) < 1e-3 * length.mean()


def test_hands_and_feet_stay_where_they_hold_on_even_after_rounding(ghost: Ghost) -> None:
    rounded = np.round(ghost.landmarks, 3)
    for contact in ghost.contacts:
        during = (ghost.t >= contact.start - 1e-6) & (ghost.t <= contact.end + 1e-6)
        tip = rounded[during][:, TIPS[LIMBS.index(contact.limb)]].mean(axis=1)
        assert np.linalg.norm(tip - contact.point, axis=1).max() < 0.005


def test_the_certificate_passes_on_a_climb_that_a_body_could_do(ghost: Ghost) -> None:
    assert ghost.certificate["passed"]
    assert set(ghost.certificate["gates"]) == {"bone_drift", "contact_slip", "joint_limits", "reach", "equilibrium"}
    assert all(len(values) == len(ghost.t) for values in ghost.certificate["frames"].values())


def test_the_ghost_jerks_less_and_goes_no_longer_way_than_the_climber(ghost: Ghost) -> None:
    change = ghost.certificate["change"]
    assert change["jerk"] < 0
    assert change["path"] < 0.02


def test_the_ghost_moves_one_limb_at_a_time(ghost: Ghost) -> None:
    on = np.array([sum(c.start - 1e-6 <= t <= c.end + 1e-6 for c in ghost.contacts) for t in ghost.t])
    assert on.min() >= 3


def test_the_ghost_uses_the_climbers_holds_and_its_hands_move_in_the_same_order(ghost: Ghost) -> None:
    climb = short_climb()

    def hands(contacts: list[Contact] | list) -> list[tuple[str, int | None]]:  # type: ignore[type-arg]
        by_time = sorted(contacts, key=lambda c: c.start)
        return [(c.limb, c.hold_id) for c in by_time if c.limb.endswith("hand") and c.start > 0]

    assert {c.hold_id for c in ghost.contacts} == {c.hold_id for c in climb.contacts}
    assert hands(ghost.contacts) == hands(climb.contacts)


def test_the_players_two_clocks_go_forward_together(ghost: Ghost) -> None:
    assert np.diff(ghost.t) == pytest.approx(ghost.t[1])
    assert (np.diff(ghost.climber_t) >= 0).all()
    assert ghost.climber_t[0] >= short_climb().motion.t[0]
    assert ghost.climber_t[-1] <= short_climb().motion.t[-1]


def test_a_regrip_is_left_out() -> None:
    climb = short_climb()
    contacts, whole = regripped(climb)
    beta = edit(contacts, climb.motion.t, climb.motion.landmarks, climb.wall)
    assert [(drop.kind, drop.limb) for drop in beta.dropped] == [("regrip", LIMBS.index(whole.limb))]
    stays = beta.stays[LIMBS.index(whole.limb)]
    assert any(stay.start == whole.start and stay.end == whole.end for stay in stays)


def test_a_limb_that_returns_after_others_moved_on_is_no_regrip() -> None:
    climb = short_climb()
    hand = next(c for c in climb.contacts if c.limb.endswith("hand") and c.start == 0)
    arrival = min(c.start for c in climb.contacts if c.limb != hand.limb and c.start > 0)
    parts = [replace(hand, end=arrival - 0.2), replace(hand, start=arrival + 0.2, end=arrival + 1)]
    contacts = [c for c in climb.contacts if c.limb != hand.limb] + parts
    assert edit(contacts, climb.motion.t, climb.motion.landmarks, climb.wall).dropped == ()


def test_a_foot_that_rests_nowhere_on_its_way_goes_there_at_once() -> None:
    climb = short_climb()
    first = min((c for c in climb.contacts if c.limb == "left_foot"), key=lambda c: c.start)
    contacts = [c for c in climb.contacts if c.limb != "left_foot"] + [
        replace(first, end=0.2),
        replace(first, hold_id=900, start=0.3, end=0.5),
        replace(first, hold_id=901, start=0.6, end=5.0),
    ]
    beta = edit(contacts, climb.motion.t, climb.motion.landmarks, climb.wall)
    assert [drop.kind for drop in beta.dropped] == ["fidget"]
    assert [stay.hold_id for stay in beta.stays[2]] == [first.hold_id, 901]


def without_feet(climb: Climb, start: float, end: float) -> list[Contact]:
    """The climb's contacts, but those of the feet have a gap."""
    left = [contact for contact in climb.contacts if contact.limb.endswith("hand")]
    for contact in climb.contacts:
        if contact.limb.endswith("foot"):
            left += [
                replace(contact, start=first, end=last)
                for first, last in ((contact.start, min(contact.end, start)), (max(contact.start, end), contact.end))
                if last > first
            ]
    return left


def overhanging() -> Climb:
    """On this wall hands alone do not hold a body that is not under them."""
    return replace(short_climb(), wall=replace(short_climb().wall, angle_deg=15.0))


def steep() -> Climb:
    return climb(SceneOptions(seed=2, duration_s=6.0, fps=10, width=540, height=960, wall_angle_deg=35.0))


def test_a_foot_that_stays_where_the_body_would_fall_without_it_stands_on_something() -> None:
    climb = overhanging()
    contacts = without_feet(climb, 0.4, 0.95)
    assert len(with_standing_feet(contacts, climb.motion, climb.wall)) == len(contacts), "too short for standing"
    found = with_needed_feet(contacts, climb.motion, climb.wall, climb.holds)[len(contacts) :]
    assert {contact.limb for contact in found} == {"left_foot", "right_foot"}
    assert all(0.4 <= contact.start < contact.end <= 0.95 and contact.confidence < 0.5 for contact in found)


def in_the_air(climb: Climb) -> BodyMotion:
    """The climb, with feet that are 25 cm off the wall, seen where they were."""
    camera = -np.linalg.solve(climb.wall.projection[:, :3], climb.wall.projection[:, 3])
    landmarks = climb.motion.landmarks.copy()
    feet = landmarks[:, 27:33]
    share = (0.25 - feet[..., 2:]) / (camera[2] - feet[..., 2:])
    landmarks[:, 27:33] = feet + share * (camera - feet)
    return replace(climb.motion, landmarks=landmarks)


@pytest.mark.parametrize("half_m", [0.05, 0.3])
def test_who_pushes_off_the_wall_for_a_moment_does_so_on_something_that_sticks_out_so_far(half_m: float) -> None:
    climb = overhanging()
    contacts = without_feet(climb, 0.4, 0.95)
    places = {c.hold_id: climb.wall.on_surface(np.array(c.point)) for c in contacts if c.limb.endswith("foot")}
    corners = half_m * np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
    outlines = {number: climb.wall.project(place + corners) for number, place in places.items()}
    holds = [replace(hold, outline=outlines[hold.id]) for hold in climb.holds if hold.id in outlines]
    found = with_needed_feet(contacts, in_the_air(climb), climb.wall, holds)[len(contacts) :]
    assert {contact.hold_id for contact in found} <= set(places)
    assert bool(found) == (half_m == 0.3)


def test_where_the_others_hold_the_body_no_foot_is_needed() -> None:
    climb = short_climb()
    found = with_needed_feet(climb.contacts, climb.motion, climb.wall, climb.holds)
    assert found == with_standing_feet(climb.contacts, climb.motion, climb.wall)


def test_who_falls_stands_on_nothing() -> None:
    climb = overhanging()
    t = climb.motion.t
    falling = climb.motion.gravity_centre - 0.5 * 9.81 * t[:, None] ** 2 * climb.wall.up
    contacts = without_feet(climb, 0.4, 0.95)
    motion = replace(climb.motion, gravity_centre=falling)
    assert with_needed_feet(contacts, motion, climb.wall, climb.holds) == contacts


def stay(limb: int, start: float, end: float, x: float, y: float) -> Stay:
    return Stay(limb, None, start, end, np.array([x, y, 0.05]), end - start, 0.9)


def test_a_foot_too_far_from_where_a_hand_goes_stays_on_until_the_climbers_left() -> None:
    stays = (
        (stay(0, 0, 10, 0.0, 2.0),),
        (stay(1, 0, 2, 0.5, 2.0), stay(1, 4, 10, 0.9, 2.9)),
        (stay(2, 0, 3.5, 0.0, 0.2),),
        (),
    )
    plan = lay_out(Beta(stays, ()), 0.0, 6.0, 15.0, 1.7)
    assert plan is not None
    ends = {contact.limb: contact.end for contact in plan.contacts if contact.end < plan.t[-1]}
    lands = max(contact.start for contact in plan.contacts)
    share = (ends["left_foot"] - ends["right_hand"]) / (lands - ends["right_hand"])
    assert share == pytest.approx(0.75, abs=0.1)


def hands_in_turn(leaves: float, arrives: float) -> Timeline:
    """The left hand moves, then between these seconds the right one, too far for the right foot, which left at 2.7."""
    stays = (
        (stay(0, 0, 2, 0.0, 2.0), stay(0, 2.6, 10, 0.1, 2.6)),
        (stay(1, 0, leaves, 0.5, 2.0), stay(1, arrives, 10, 0.8, 3.4)),
        (stay(2, 0, 10, -0.2, 1.4),),
        (stay(3, 0, 2.7, 0.3, 0.8),),
    )
    plan = lay_out(Beta(stays, ()), 0.0, arrives + 1.3, 15.0, 1.7)
    assert plan is not None
    return plan


def test_who_let_go_as_a_move_began_lets_go_before_it() -> None:
    plan = hands_in_turn(2.6, 6.6)
    foot = next(contact for contact in plan.contacts if contact.limb == "right_foot")
    hand = next(contact for contact in plan.contacts if contact.limb == "right_hand")
    assert hand.end - foot.end >= 0.4


def test_what_has_arrived_bears_its_load_before_another_limb_lets_go_and_the_body_hangs_before_it_moves() -> None:
    plan = hands_in_turn(2.8, 3.8)
    by_place = {(contact.limb, round(contact.point[1], 1)): contact for contact in plan.contacts}
    arrived = by_place["left_hand", 2.6].start
    let_go = by_place["right_foot", 0.8].end
    moves = by_place["right_hand", 2.0].end
    assert let_go - arrived >= 0.2
    assert moves - let_go >= 0.4


def test_a_foot_that_left_as_a_hand_arrived_may_stay_on_until_it_does() -> None:
    def foot_stays(left: float) -> bool:
        stays = (
            (stay(0, 0, 2, 0.0, 2.0), stay(0, 2.6, 10, 0.1, 2.9)),
            (stay(1, 0, 10, 0.5, 2.0),),
            (stay(2, 0, 10, -0.2, 1.4),),
            (stay(3, 0, left, 0.3, 0.8),),
        )
        plan = lay_out(Beta(stays, ()), 0.0, 6.0, 15.0, 1.7)
        assert plan is not None
        [hand] = [contact for contact in plan.contacts if contact.limb == "left_hand" and contact.start > 0]
        [foot] = [contact for contact in plan.contacts if contact.limb == "right_foot"]
        return foot.end >= hand.start

    assert foot_stays(2.5)
    assert not foot_stays(2.3)


@pytest.mark.parametrize("missing", ["wall", "contacts", "body", "length"])
def test_without_a_basis_there_is_no_ghost_but_a_reason(missing: str) -> None:
    climb = short_climb()
    motion = climb.motion
    if missing == "length":
        motion = replace(
            motion, frames=motion.frames[:6], t=motion.t[:6], pose=motion.pose[:6], landmarks=motion.landmarks[:6],
            gravity_centre=motion.gravity_centre[:6], error_px=motion.error_px[:6],
        )  # fmt: skip
    found = find_ghost(
        None if missing == "body" else motion,
        [] if missing == "contacts" else climb.contacts,
        climb.holds,
        None if missing == "wall" else climb.wall,
    )
    assert isinstance(found, NoGhost)
    assert len(found.reason) > 10


def test_what_no_body_could_hold_fails_by_name_and_is_shown_calm() -> None:
    climb = short_climb()
    # the same climb under a roof, where feet that only push hold nothing
    found = find_ghost(climb.motion, climb.contacts, climb.holds, replace(climb.wall, angle_deg=89.0))
    assert isinstance(found, Ghost)
    failed = [name for name, gate in found.certificate["gates"].items() if not gate["passed"]]
    assert failed == ["equilibrium"]
    assert not found.certificate["passed"]
    assert found.certificate["change"]["jerk"] < 0
    assert len(found.landmarks) == len(found.t)


def test_where_only_a_wild_swing_is_possible_the_ghost_stays_calm_and_fails_by_name() -> None:
    climb = steep()
    hands = [contact for contact in climb.contacts if contact.limb.endswith("hand")]
    ghost = ghost_of(climb, hands)
    assert not ghost.certificate["gates"]["equilibrium"]["passed"]
    assert ghost.certificate["gates"]["contact_slip"]["passed"]
    assert ghost.certificate["change"]["jerk"] < 0
    assert ghost.certificate["change"]["path"] < 0.02


def test_contacts_that_could_not_hold_the_body_make_no_ghost_that_moves_worse() -> None:
    climb = short_climb()
    roof = replace(climb.wall, angle_deg=89.0)
    # a climber who moves more smoothly than anything that hangs on these could
    still = np.repeat(climb.motion.landmarks[:1], len(climb.motion.t), axis=0)
    centre = np.repeat(climb.motion.gravity_centre[:1], len(climb.motion.t), axis=0)
    drift = np.linspace(0, 0.2, len(climb.motion.t))[:, None] * [1.0, 0.0, 0.0]
    motion = replace(climb.motion, landmarks=still + drift[:, None], gravity_centre=centre + drift)
    found = find_ghost(motion, climb.contacts, climb.holds, roof)
    assert isinstance(found, NoGhost)
    assert "hold the body" in found.reason


@pytest.fixture(scope="module")
def leap() -> tuple[Climb, Ghost]:
    """A climb with a dyno in which nothing touches the wall for 0.3 s, and its Ghost."""
    jumped = climb(SceneOptions(seed=3, duration_s=6.0, fps=15, dyno=True, flight_s=0.3))
    return jumped, ghost_of(jumped)


def limbs_on(ghost: Ghost) -> npt.NDArray[np.intp]:
    on = [sum(contact.start - 1e-6 <= t <= contact.end + 1e-6 for contact in ghost.contacts) for t in ghost.t]
    return np.array(on)


def test_the_ghost_jumps_where_the_climber_did_and_passes_its_certificate(leap: tuple[Climb, Ghost]) -> None:
    _, ghost = leap
    assert ghost.certificate["passed"], ghost.certificate["gates"]
    assert limbs_on(ghost).min() == 0


def test_its_flight_lasts_as_long_as_the_climbers(leap: tuple[Climb, Ghost]) -> None:
    jumped, ghost = leap
    assert jumped.scene.climb.flight is not None
    start, end = jumped.scene.climb.flight
    lands = [contact.start for contact in ghost.contacts if contact.start > 0 and contact.limb.endswith("hand")]
    leaves = max(contact.end for contact in ghost.contacts if contact.end < max(lands))
    assert max(lands) - leaves == pytest.approx(end - start, abs=1.1 * ghost.t[1])


def test_in_flight_nothing_but_gravity_moves_its_centre(leap: tuple[Climb, Ghost]) -> None:
    jumped, ghost = leap
    flying = np.flatnonzero(limbs_on(ghost) == 0)
    assert len(flying) >= 3
    gravity = np.tile(-9.81 * jumped.wall.up, (len(flying), 1))
    assert sharp_accelerations(ghost.t, ghost.gravity_centre)[flying] == pytest.approx(gravity, abs=0.2)
    t, path = ghost.t[flying], ghost.gravity_centre[flying]
    parabola = np.polyfit(t - t[0], path, 2)
    assert 2 * parabola[0] == pytest.approx(gravity[0], abs=1.0)


def test_least_jerk_goes_straight_where_nothing_asks_for_more() -> None:
    wanted = np.linspace([0.0, 0, 0], [1.0, 2, 3], 40)
    wandering = wanted + 0.1 * np.sin(np.arange(40))[:, None]
    deviation = np.full(40, np.inf)
    deviation[[0, 13, 27, 39]] = 1e-3
    path = least_jerk(np.where(np.isfinite(deviation)[:, None], wanted, wandering), deviation, 15.0, 1.0)
    assert path == pytest.approx(wanted, abs=5e-3)
