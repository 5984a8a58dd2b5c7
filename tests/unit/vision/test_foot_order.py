"""The order of hands and feet: a foot that the climber moved too late goes earlier where that is better, only there."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from ascension_vision.contacts.contact import Contact
from ascension_vision.ghost import certificate as certificates
from ascension_vision.ghost import finding
from ascension_vision.ghost.certificate import Evidence
from ascension_vision.ghost.finding import find_ghost
from ascension_vision.ghost.ghost import Ghost, GhostContact
from ascension_vision.ghost.order import LateFoot, better_earlier, late_feet
from ascension_vision.ghost.trial import Scene
from ascension_vision.scene import SceneOptions

from tests.unit.vision.climbs import Climb, climb, climb_with_a_late_foot


def ghost_of(climb: Climb, contacts: list[Contact] | None = None) -> Ghost:
    found = find_ghost(climb.motion, climb.contacts if contacts is None else contacts, climb.holds, climb.wall)
    assert isinstance(found, Ghost), found
    return found


def arrivals(contacts: Sequence[Contact | GhostContact]) -> list[tuple[str, int | None]]:
    """Limbs and holds in the order in which they arrive."""
    return [(c.limb, c.hold_id) for c in sorted(contacts, key=lambda c: c.start) if c.start > 0]


@pytest.fixture(scope="module")
def late() -> Climb:
    return climb_with_a_late_foot(SceneOptions(seed=7, duration_s=5.9, fps=10, wall_angle_deg=25))


@pytest.fixture(scope="module")
def found(late: Climb) -> tuple[Ghost, Scene]:
    """The Ghost, and what the proposals for another order were tried on."""
    scenes = []

    def propose(scene: Scene) -> list[LateFoot]:
        scenes.append(scene)
        return better_earlier(scene)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finding, "better_earlier", propose)
        return ghost_of(late), scenes[0]


@pytest.fixture(scope="module")
def better(found: tuple[Ghost, Scene]) -> Ghost:
    return found[0]


@pytest.fixture(scope="module")
def scene(found: tuple[Ghost, Scene]) -> Scene:
    return found[1]


@pytest.fixture(scope="module")
def doubted(late: Climb) -> Ghost:
    """The Ghost of the same climb if one is not sure that the foot's next hold is one."""
    foot = late_foot(late)
    return ghost_of(late, [replace(c, confidence=0.4) if c is foot else c for c in late.contacts])


def late_foot(late: Climb) -> Contact:
    came = sorted((c for c in late.contacts if c.start > 0), key=lambda c: c.start)
    return next(after for before, after in pairwise(came) if "hand" in before.limb and "foot" in after.limb)


def test_a_foot_that_came_after_the_hand_goes_before_it(late: Climb, better: Ghost) -> None:
    foot, theirs, own = late_foot(late), arrivals(late.contacts), arrivals(better.contacts)
    at = theirs.index((foot.limb, foot.hold_id))
    assert own == [*theirs[: at - 1], theirs[at], theirs[at - 1], *theirs[at + 1 :]]


def test_holds_and_the_order_of_the_hands_moves_stay(late: Climb, better: Ghost) -> None:
    hands = [
        [move for move in arrivals(contacts) if "hand" in move[0]] for contacts in (late.contacts, better.contacts)
    ]
    assert hands[0] == hands[1]
    assert {(c.limb, c.hold_id) for c in late.contacts} == {(c.limb, c.hold_id) for c in better.contacts}


def test_it_passes_every_gate_and_costs_clearly_less(better: Ghost, doubted: Ghost) -> None:
    assert better.certificate["passed"]
    assert better.effort.cost < 0.9 * doubted.effort.cost
    assert better.certificate["change"]["hand_load"] < doubted.certificate["change"]["hand_load"]


def test_the_certificate_says_which_foot_goes_before_which_hand(late: Climb, better: Ghost, doubted: Ghost) -> None:
    foot = late_foot(late)
    [told] = better.certificate["foot_order"]
    hand = next(c for c in late.contacts if "hand" in c.limb and abs(c.end - told["at"]) < 0.1)
    assert (told["limb"], told["hold_id"], told["before"]) == (foot.limb, foot.hold_id, hand.limb)
    assert told["saved"] == pytest.approx(1 - better.effort.cost / doubted.effort.cost, abs=0.001)


def test_the_players_clocks_stay_together_where_the_order_did_not_change(late: Climb, better: Ghost) -> None:
    foot = late_foot(late)
    assert (np.diff(better.climber_t) >= 0).all()
    for own in better.contacts:
        theirs = next(c for c in late.contacts if (c.limb, c.hold_id) == (own.limb, own.hold_id))
        for moment, seen, untied in (
            (own.start, theirs.start, (own.limb, own.hold_id) == (foot.limb, foot.hold_id)),
            (own.end, theirs.end, own.limb == foot.limb and theirs.end < foot.start),
        ):
            if 0 < moment < better.t[-1] and not untied:
                assert np.interp(moment, better.t, better.climber_t) == pytest.approx(seen, abs=1e-6)


def test_the_foot_moves_while_the_climber_gets_ready_for_the_hands_move(late: Climb, better: Ghost) -> None:
    foot = late_foot(late)
    goes = next(c for c in better.contacts if (c.limb, c.hold_id) == (foot.limb, foot.hold_id)).start
    at = better.certificate["foot_order"][0]["at"]
    before = max(c.start for c in late.contacts if c.start < at)
    assert before < np.interp(goes, better.t, better.climber_t) < at


def test_no_order_rests_on_a_foothold_that_is_doubtful(late: Climb, doubted: Ghost) -> None:
    assert doubted.certificate["foot_order"] == []
    assert arrivals(doubted.contacts) == arrivals(late.contacts)


def test_an_order_that_costs_more_is_not_taken_even_if_it_looked_better(monkeypatch: pytest.MonkeyPatch) -> None:
    own = climb(SceneOptions(seed=5, duration_s=4.6, fps=10, wall_angle_deg=30))
    scenes = []

    def propose(scene: Scene) -> list[LateFoot]:
        scenes.append(scene)
        return list(late_feet(scene))

    monkeypatch.setattr(finding, "better_earlier", propose)
    ghost = ghost_of(own)
    [scene] = scenes
    assert list(late_feet(scene))
    assert better_earlier(scene) == []
    assert ghost.certificate["foot_order"] == []
    assert arrivals(ghost.contacts) == arrivals(own.contacts)


def test_a_hold_out_of_the_legs_reach_is_not_proposed(scene: Scene) -> None:
    assert [one.foot.target.hold_id for one in better_earlier(scene)] == [next(late_feet(scene)).foot.target.hold_id]
    for away in (1.5, -1.5):
        swings = [
            replace(swing, target=replace(swing.target, point=swing.target.point + np.array([0.0, away, 0.0])))
            for swing in scene.timeline.swings
        ]
        assert better_earlier(replace(scene, timeline=replace(scene.timeline, swings=swings))) == []


def test_an_order_that_fails_a_gate_is_not_taken(late: Climb, doubted: Ghost, monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[bool] = []

    def certify(evidence: Evidence, change: dict[str, float | None]) -> dict[str, Any]:
        certificate = certificates.certify(evidence, change)
        judged.append(certificate["passed"])
        return certificate | {"passed": len(judged) == 1}

    monkeypatch.setattr(finding, "certify", certify)
    ghost = ghost_of(late)
    assert judged == [True, True]
    assert ghost.certificate["foot_order"] == []
    assert (ghost.landmarks == doubted.landmarks).all()
