"""Hands that nobody sees on a hold, or too late, but without which the body would fall."""

from dataclasses import replace
from functools import cache

import numpy as np
import numpy.typing as npt
from ascension_vision.contacts.balance import with_hands_in_time, with_hidden_hands
from ascension_vision.contacts.contact import DEMANDED, Contact
from ascension_vision.holds.hold import Hold
from ascension_vision.scene import SceneOptions

from tests.unit.vision.climbs import Climb, climb

Array = npt.NDArray[np.float64]


@cache
def overhang() -> tuple[Climb, Contact, list[Hold]]:
    """A climb on a steep wall, the longest of its hands' contacts, and its holds with outlines."""
    found = climb(SceneOptions(seed=2, duration_s=6.0, fps=10, width=540, height=960, wall_angle_deg=35.0))
    longest = max((c for c in found.contacts if c.limb.endswith("hand")), key=lambda c: c.end - c.start)
    middles = {c.hold_id: np.array(c.point) for c in found.contacts}
    square = np.array([[-8.0, -8.0], [8.0, -8.0], [8.0, 8.0], [-8.0, 8.0]])
    holds = [replace(hold, outline=middles[hold.id] + square) for hold in found.holds if hold.id in middles]
    return found, longest, holds


def found_without(contact: Contact, visibility: float) -> list[Contact]:
    """What is added where the contact was not seen, its hand being so visible."""
    seen, _, holds = overhang()
    others = [one for one in seen.contacts if one is not contact]
    sure = np.full((len(seen.motion.t), 33), 0.95)
    sure[:, 15:23] = visibility
    return [one for one in with_hidden_hands(others, seen.motion, sure, holds, seen.wall) if one not in others]


def test_a_hidden_hand_that_the_body_hangs_by_is_on_the_hold_beside_it() -> None:
    _, contact, _ = overhang()
    (added,) = found_without(contact, 0.5)
    assert (added.limb, added.hold_id, added.confidence) == (contact.limb, contact.hold_id, DEMANDED)
    assert contact.start - 0.4 <= added.start
    assert added.end <= contact.end + 0.4
    assert added.end - added.start > (contact.end - contact.start) / 2


def test_a_hand_that_is_seen_not_to_hold_on_is_left_alone() -> None:
    _, contact, _ = overhang()
    assert found_without(contact, 0.95) == []


def test_a_hidden_hand_that_nothing_demands_is_left_alone() -> None:
    seen, _, holds = overhang()
    hidden = np.full((len(seen.motion.t), 33), 0.5)
    assert with_hidden_hands(seen.contacts, seen.motion, hidden, holds, seen.wall) == sorted(
        seen.contacts, key=lambda one: one.start
    )


def caught(late: float, other_hand_leaves: float, falling: bool = False) -> tuple[Contact, Contact]:
    """A hand's contact as it was, and as it is found where it was seen to begin so late and the other hand left so long
    before it began. Its feet kick in the air."""
    seen, _, holds = overhang()
    t = seen.motion.t
    landmarks = seen.motion.landmarks.copy()
    landmarks[:, 27:33, 0] += 0.4 * np.sin(9 * t)[:, None]
    fall = 0.5 * 9.81 * t[:, None] ** 2 * seen.wall.up if falling else 0.0
    motion = replace(seen.motion, landmarks=landmarks, gravity_centre=seen.motion.gravity_centre - fall)
    hands = sorted((c for c in seen.contacts if c.limb.endswith("hand")), key=lambda c: c.start)
    true = next(c for c in hands if c.start > 1.0)
    others = [
        replace(c, end=min(c.end, true.start - other_hand_leaves)) if c.start < true.start < c.end else c
        for c in hands
        if c is not true
    ]
    found = with_hands_in_time([*others, replace(true, start=true.start + late)], motion, holds, seen.wall)
    return true, found[-1]


def test_a_hand_that_catches_the_body_is_on_when_the_body_stops_falling() -> None:
    true, found = caught(late=0.25, other_hand_leaves=0.2)
    assert true.start - 0.2 <= found.start <= true.start + 0.05
    assert found.end == true.end


def test_a_hand_that_arrives_while_the_other_holds_on_does_so_when_it_is_seen_to() -> None:
    true, found = caught(late=0.25, other_hand_leaves=-9.0)
    assert found.start == true.start + 0.25


def test_who_falls_has_not_caught_anything_yet() -> None:
    true, found = caught(late=0.25, other_hand_leaves=0.2, falling=True)
    assert found.start == true.start + 0.25
