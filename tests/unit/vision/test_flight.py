"""A climber who jumps holds on to nothing while the body falls, and to something until and after that."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from ascension_vision.camera.track import CameraTrack
from ascension_vision.contacts.contact import LIMBS, Contact
from ascension_vision.contacts.flight import with_flights
from ascension_vision.contacts.tips import Tips, limb_tips
from ascension_vision.pose.following import Poses
from ascension_vision.scene import SceneOptions, plan_scene
from ascension_vision.scene.motion import smooth
from ascension_vision.wall.wall import Wall

FPS = 15


@cache
def jump(flight_s: float) -> tuple[Tips, Wall, list[Contact], tuple[float, float]]:
    """A climb that ends with a jump as a camera sees it, fast motions blurred; its true contacts; and from when to when
    no hand is on."""
    scene = plan_scene(SceneOptions(seed=3, duration_s=7.0, fps=FPS, dyno=True, flight_s=flight_s))
    camera = scene.reference
    xy = smooth(camera.project(scene.motion.landmarks), 0.05 * FPS)
    points = np.concatenate([xy, np.zeros((*xy.shape[:2], 1))], axis=2)
    seen = np.full(points.shape[:2], 0.95)
    poses = Poses(scene.motion.times, points, seen, points, camera.width, camera.height)
    tips = limb_tips(poses, CameraTrack(np.tile(np.eye(3), (len(points), 1, 1)), 0, still=True))
    projection = np.column_stack([camera.intrinsics @ camera.rotation, camera.intrinsics @ camera.translation])
    contacts = [
        Contact(limb, one.hold_id, one.start, one.end, 0.9, (float(x), float(y)))
        for limb in LIMBS
        for one in scene.climb.of_limb(limb)
        for x, y in [camera.project(scene.climb.hold(one.hold_id).grip)]
    ]
    lands = max(one.start for one in contacts if one.limb.endswith("hand"))
    leaves = max(one.end for one in contacts if one.limb.endswith("hand") and one.end < lands)
    assert tips is not None
    wall = Wall(projection, scene.options.wall_angle_deg, "user", "climber_height", 0.02)
    return tips, wall, contacts, (leaves, lands)


def as_seen(contacts: list[Contact], leaves: float, lands: float) -> list[Contact]:
    """Hands that seem to let go too soon and to arrive too late, one foot that seems to push on in the air."""
    seen = []
    for one in contacts:
        if one.end == leaves:
            one = replace(one, end=leaves + (0.1 if one.limb == "left_foot" else -0.12))
        elif one.start == lands:
            one = replace(one, start=lands + (0.2 if one.limb == "left_hand" else 0.12))
        seen.append(one)
    return seen


@pytest.mark.parametrize("flight_s", [0.3, 0.4])
def test_in_a_jump_limbs_are_off_while_the_body_falls(flight_s: float) -> None:
    tips, wall, contacts, (leaves, lands) = jump(flight_s)
    found = with_flights(as_seen(contacts, leaves, lands), tips, wall)
    assert len(found) == len(contacts)
    for one, true in zip(found, contacts, strict=True):
        if true.end == leaves:
            assert one.end == pytest.approx(leaves, abs=0.11)
        elif true.start == lands:
            assert one.start == pytest.approx(lands, abs=0.11)
        else:
            assert one == true
    # all that was on leaves at once, and the hands arrive at once
    assert len({one.end for one, true in zip(found, contacts, strict=True) if true.end == leaves}) == 1
    assert len({one.start for one, true in zip(found, contacts, strict=True) if true.start == lands}) == 1


def test_whose_feet_stay_on_while_both_hands_move_does_not_fly() -> None:
    tips, wall, contacts, (leaves, lands) = jump(0.0)
    seen = as_seen(contacts, leaves, lands)
    assert with_flights(seen, tips, wall) == seen
