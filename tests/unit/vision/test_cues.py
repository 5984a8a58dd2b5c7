"""What the Ghost tells the climber: the changes that matter most, each tried alone."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from ascension_vision.ghost.finding import find_ghost
from ascension_vision.ghost.ghost import Cue, Ghost

from tests.unit.vision.climbs import short_climb

ASIDE_M, FROM, UNTIL = 0.25, 0.3, 1.5


@cache
def cues(kicking: bool) -> list[Cue]:
    """For a climber who goes a quarter of a metre aside and back; or who kicks meanwhile on a steep wall, where hands
    alone do not hold the body, and puts the feet back where they were."""
    climb = short_climb()
    share = np.clip((climb.motion.t - FROM) / (UNTIL - FROM), 0, 1)
    aside = ASIDE_M * np.sin(np.pi * share)[:, None] ** 2 * [1.0, 0.0, 0.0]
    landmarks = climb.motion.landmarks.copy()
    landmarks[:, [11, 12, 23, 24]] += aside[:, None]
    motion = replace(climb.motion, landmarks=landmarks, gravity_centre=climb.motion.gravity_centre + aside)
    contacts, wall = climb.contacts, climb.wall
    if kicking:
        wall = replace(wall, angle_deg=15.0)
        contacts = [contact for contact in contacts if contact.limb.endswith("hand")]
        for contact in climb.contacts:
            if contact.limb.endswith("foot"):
                parts = ((contact.start, min(contact.end, FROM)), (max(contact.start, UNTIL), contact.end))
                contacts += [replace(contact, start=start, end=end) for start, end in parts if start < end]
    found = find_ghost(motion, contacts, climb.holds, wall)
    assert isinstance(found, Ghost)
    return found.cues


@pytest.mark.parametrize("kicking", [False, True])
def test_who_sways_is_told_to_move_straight_on_even_where_no_load_can_be_told(kicking: bool) -> None:
    told = [cue for cue in cues(kicking) if cue.key == "straighter"]
    assert any(cue.at < UNTIL and float(cue.values["until"]) > FROM for cue in told), told
    assert all(cue.metric == "path" and cue.change < 0 for cue in told)
    assert all(float(cue.values["cm"]) >= 8 for cue in told)


def test_what_could_not_be_weighed_is_not_said_to_be_checked() -> None:
    assert not any(cue.possible for cue in cues(kicking=True) if cue.key == "straighter" and cue.at < FROM)
    assert all(cue.possible for cue in cues(kicking=False) if cue.key == "straighter" and cue.at < FROM)


def test_there_are_three_at_most_and_no_more_than_two_of_a_kind() -> None:
    kinds = [cue.key for cue in cues(kicking=True)]
    assert 0 < len(kinds) <= 3
    assert all(kinds.count(kind) <= 2 for kind in kinds)
