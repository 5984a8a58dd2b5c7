"""Climbs whose truth is known, as the analysis would find them, without drawing a pixel."""

from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from ascension_vision.body.fit import fit_body
from ascension_vision.body.motion import BodyMotion
from ascension_vision.camera.track import CameraTrack
from ascension_vision.contacts.contact import LIMBS, Contact
from ascension_vision.holds.hold import Hold
from ascension_vision.pose.following import Poses
from ascension_vision.scene import Scene, SceneOptions, plan_scene
from ascension_vision.scene.climb import Contact as PlannedContact
from ascension_vision.scene.motion import move_body
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Climb:
    """``poses`` are the true landmarks, with noise if so wished; ``motion`` is fitted to them."""

    scene: Scene
    poses: Poses
    wall: Wall
    holds: list[Hold]
    contacts: list[Contact]
    motion: BodyMotion


def climb(options: SceneOptions, noise_px: float = 0.0, seed: int = 0) -> Climb:
    """A rendered climb as a perfect analysis would see it; ``noise_px`` is a standard deviation on each axis."""
    return _seen(plan_scene(options), noise_px, seed)


def climb_with_a_late_foot(options: SceneOptions) -> Climb:
    """The same route by a climber who moves the first foot that should go before a hand right after it."""
    scene = plan_scene(options)
    arrivals = sorted((c for c in scene.climb.contacts if c.start > 0), key=lambda c: c.start)
    foot, hand = next(two for two in pairwise(arrivals) if "foot" in two[0].limb and "hand" in two[1].limb)
    contacts = list(scene.climb.contacts)
    for late, instead in ((foot, hand), (hand, foot)):
        # each of the two leaves and arrives when the other did
        before, others = _before(late, scene.climb.contacts), _before(instead, scene.climb.contacts)
        contacts[scene.climb.contacts.index(before)] = replace(before, end=others.end)
        contacts[scene.climb.contacts.index(late)] = replace(late, start=instead.start)
    plan = replace(scene.climb, contacts=tuple(sorted(contacts, key=lambda c: (c.start, c.limb))))
    motion = move_body(plan, options, np.random.default_rng(options.seed))
    return _seen(replace(scene, climb=plan, motion=motion), 0.0, 0)


def _before(contact: PlannedContact, contacts: tuple[PlannedContact, ...]) -> PlannedContact:
    """Where that limb was before."""
    return max((c for c in contacts if c.limb == contact.limb and c.end <= contact.start), key=lambda c: c.end)


def _seen(scene: Scene, noise_px: float, seed: int) -> Climb:
    options = scene.options
    camera = scene.reference
    assert all(other is camera for other in scene.cameras), "the camera stands still"
    projection = np.column_stack([camera.intrinsics @ camera.rotation, camera.intrinsics @ camera.translation])
    wall = Wall(projection, options.wall_angle_deg, "user", "climber_height", 0.02)
    poses = _poses(scene, noise_px, seed)
    contacts = [
        Contact(
            limb,
            contact.hold_id,
            contact.start,
            contact.end,
            0.95,
            _pixel(scene, scene.climb.hold(contact.hold_id).grip),
        )
        for limb in LIMBS
        for contact in scene.climb.of_limb(limb)
    ]
    holds = [
        Hold(hold.id, "hold", hold.type, 0.9, 0.9, (0.0, 0.0, 1.0, 1.0), np.zeros((3, 2)))
        for hold in scene.climb.holds
        if hold.on_route
    ]
    track = CameraTrack(np.tile(np.eye(3), (len(poses.t), 1, 1)), 0, True)
    motion = fit_body(poses, track, wall, contacts, options.body.height_m)
    assert motion is not None
    return Climb(scene, poses, wall, holds, contacts, motion)


@cache
def short_climb() -> Climb:
    """Less than five seconds at 12 frames a second, with two moves."""
    return climb(SceneOptions(seed=7, duration_s=4.6, fps=12))


def _pixel(scene: Scene, place: Array) -> tuple[float, float]:
    x, y = scene.reference.project(place)
    return float(x), float(y)


def _poses(scene: Scene, noise_px: float, seed: int) -> Poses:
    camera, landmarks = scene.reference, scene.motion.landmarks
    seen = camera.to_camera(landmarks)
    hips = seen[:, [23, 24]].mean(axis=1, keepdims=True)
    scale = camera.intrinsics[0, 0] / hips[..., 2]
    pixels = camera.project(landmarks)
    pixels = pixels + np.random.default_rng(seed).normal(0, 1, pixels.shape) * noise_px
    points = np.concatenate([pixels, (seen - hips)[..., 2:] * scale[..., None]], axis=2)
    visibility = np.full(points.shape[:2], 0.95)
    return Poses(scene.motion.times, points, visibility, seen - hips, camera.width, camera.height)
