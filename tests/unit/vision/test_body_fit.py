"""A body fitted to landmarks whose truth in space is known: rendered climbs, seen through noise."""

from dataclasses import replace
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from ascension_vision.body.cleaning import smooth
from ascension_vision.body.evidence import camera
from ascension_vision.body.fit import fit_body
from ascension_vision.body.model import BONES
from ascension_vision.body.motion import BodyMotion
from ascension_vision.camera.track import CameraTrack
from ascension_vision.contacts.contact import LIMBS, Contact
from ascension_vision.pose.following import Poses
from ascension_vision.scene import CameraOptions, SceneOptions, plan_scene
from ascension_vision.scene.body import center_of_gravity
from ascension_vision.scene.camera import homography_between
from ascension_vision.scene.plan import Scene
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]

JOINTS = [*range(11, 17), *range(23, 29), 31, 32]


@cache
def scene(pan: float = 0.0) -> Scene:
    camera = CameraOptions(pan=pan, shake_deg=0.3 if pan else 0.0)
    return plan_scene(SceneOptions(seed=7, duration_s=4.0, fps=15, camera=camera))


def wall(climb: Scene) -> Wall:
    eye = climb.reference
    projection = eye.intrinsics @ np.column_stack([eye.rotation, eye.translation])
    return Wall(projection, climb.options.wall_angle_deg, "user", "t_nuts", 0.0)


def track(climb: Scene) -> CameraTrack:
    return CameraTrack(np.stack([homography_between(eye, climb.reference) for eye in climb.cameras]), 0, False)


def contacts(climb: Scene) -> list[Contact]:
    return [
        Contact(limb, contact.hold_id, contact.start, contact.end, 0.9, (float(x), float(y)))
        for limb in LIMBS
        for contact in climb.climb.of_limb(limb)
        for x, y in [climb.reference.project(climb.climb.hold(contact.hold_id).grip)]
    ]


def seen(climb: Scene, noise_px: float = 5.0) -> Poses:
    """Landmarks as a network might see them: noisy in the picture, and as good as flat guesses in depth."""
    rng, landmarks, t = np.random.default_rng(1), climb.motion.landmarks, climb.motion.times
    n = len(t)
    points = np.stack([eye.project(body) for eye, body in zip(climb.cameras, landmarks, strict=True)])
    points += rng.normal(0, noise_px, points.shape)
    hips = landmarks[:, [23, 24]].mean(axis=1, keepdims=True)
    turned = np.stack([eye.rotation for eye in climb.cameras]).transpose(0, 2, 1)
    world = (landmarks - hips) @ turned + rng.normal(0, 0.1, (1, 33, 3)) * [0.2, 0.2, 1]
    points = smooth(t, np.concatenate([points, np.zeros((n, 33, 1))], axis=2), np.ones((n, 33)))
    return Poses(t, points, np.full((n, 33), 0.9), world, climb.options.width, climb.options.height)


@cache
def fitted(pan: float = 0.0) -> BodyMotion:
    climb = scene(pan)
    motion = fit_body(seen(climb), track(climb), wall(climb), contacts(climb), climb.options.body.height_m)
    assert motion is not None
    return motion


def joint_error(motion: BodyMotion, climb: Scene) -> Array:
    """``(frames, joints)`` metres."""
    away = motion.landmarks - climb.motion.landmarks[motion.frames]
    distance: Array = np.linalg.norm(away, axis=2)[:, JOINTS]
    return distance


@pytest.mark.parametrize("pan", [0.0, 0.6])
def test_the_body_is_where_it_is_in_space(pan: float) -> None:
    motion, climb = fitted(pan), scene(pan)
    assert np.median(joint_error(motion, climb)) < 0.06
    truth = center_of_gravity(climb.motion.landmarks[motion.frames], climb.options.body.sex)
    x, y, z = np.sqrt(((motion.gravity_centre - truth) ** 2).mean(axis=0))
    assert max(x, y) < 0.02
    assert z < 0.06


def test_bones_are_constant_and_no_joint_is_beyond_its_limit() -> None:
    motion = fitted()
    for a, b in BONES:
        assert np.ptp(np.linalg.norm(motion.landmarks[:, a] - motion.landmarks[:, b], axis=1)) < 1e-9
    assert motion.model.limit_violation(motion.model.tensor(motion.pose)).max() == 0


def test_all_parts_of_the_motion_tell_the_same() -> None:
    motion = fitted()
    pose = motion.model.tensor(motion.pose)
    assert motion.landmarks == pytest.approx(motion.model.landmarks(pose).numpy())
    assert motion.gravity_centre == pytest.approx(motion.model.gravity_centre(pose).numpy())
    assert motion.t == pytest.approx(scene().motion.times[motion.frames])


def test_the_error_in_pixels_is_that_of_the_landmarks() -> None:
    assert 1 < np.median(fitted().error_px) < 6


def test_limbs_rest_where_they_touch() -> None:
    motion, climb = fitted(), scene()
    toes = motion.landmarks[:, 31]
    for contact in climb.climb.of_limb("left_foot"):
        held = (motion.t > contact.start + 0.2) & (motion.t < contact.end - 0.2)
        if held.sum() > 3:
            assert np.ptp(toes[held], axis=0).max() < 0.05
            assert np.linalg.norm(toes[held].mean(axis=0) - climb.climb.hold(contact.hold_id).grip) < 0.05


def test_nothing_is_behind_the_wall() -> None:
    assert fitted().landmarks[:, JOINTS, 2].min() > -0.02


def test_a_height_that_was_said_is_the_bodys() -> None:
    assert fitted().model.lengths.height == pytest.approx(scene().options.body.height_m, rel=0.06)


def test_a_hidden_arm_that_jumps_about_does_not_pull_the_body_along() -> None:
    climb, poses = scene(), seen(scene())
    arm = [14, 16, 18, 20, 22]
    points, visibility = poses.points.copy(), poses.visibility.copy()
    points[:, arm] += np.random.default_rng(2).normal(0, 80, (len(points), 1, 3))
    visibility[:, arm] = 0.1
    hidden = replace(poses, points=points, visibility=visibility)
    motion = fit_body(hidden, track(climb), wall(climb), contacts(climb), 1.74)
    assert motion is not None
    error = joint_error(motion, climb)
    assert np.median(error) < 0.07
    assert np.median(np.linalg.norm(motion.landmarks - climb.motion.landmarks[motion.frames], axis=2)[:, 16]) < 0.12


def test_frames_in_which_nobody_is_seen_are_left_out() -> None:
    climb, poses = scene(), seen(scene())
    points = poses.points.copy()
    points[20:30] = np.nan
    motion = fit_body(replace(poses, points=points), track(climb), wall(climb), contacts(climb))
    assert motion is not None
    assert not set(range(20, 30)) & set(motion.frames.tolist())
    assert np.median(joint_error(motion, climb)) < 0.07


def test_too_few_frames_are_no_motion() -> None:
    climb, poses = scene(), seen(scene())
    points = np.full_like(poses.points, np.nan)
    points[:2] = poses.points[:2]
    assert fit_body(replace(poses, points=points), track(climb), wall(climb), []) is None


def test_the_camera_is_read_from_the_projection_whatever_its_sign_and_scale() -> None:
    eye = scene().reference
    for factor in (1.0, -0.3):
        intrinsics, rotation = camera(factor * wall(scene()).projection)
        assert intrinsics == pytest.approx(eye.intrinsics, abs=1e-6)
        assert rotation == pytest.approx(eye.rotation, abs=1e-9)
