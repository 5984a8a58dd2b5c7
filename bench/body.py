"""How near the fitted body comes to a rendered climber's, seen through the pose network and through plain noise, and
what the fit and the forces cost. Times are of the processor, so other work on the machine matters little.
"""

import time
from dataclasses import dataclass, replace
from pathlib import Path as File

import numpy as np
import numpy.typing as npt
import torch
from ascension_vision.body.cleaning import clean, smooth
from ascension_vision.body.fit import fit_body
from ascension_vision.body.forces import accelerations, contact_forces
from ascension_vision.body.grips import grips
from ascension_vision.body.model import tips
from ascension_vision.body.motion import BodyMotion
from ascension_vision.body.trust import trust
from ascension_vision.camera.track import CameraTrack
from ascension_vision.contacts.contact import LIMBS, Contact
from ascension_vision.cores import one_thread
from ascension_vision.pose.blazepose import BlazePose
from ascension_vision.pose.climber import Path, find_climber
from ascension_vision.pose.following import Poses, follow
from ascension_vision.pose.scouting import scout
from ascension_vision.scene import SceneOptions, plan_scene
from ascension_vision.scene.body import center_of_gravity
from ascension_vision.scene.camera import homography_between
from ascension_vision.scene.plan import Scene
from ascension_vision.video.clip import Clip
from ascension_vision.wall.wall import Wall

from bench.climbs import CLIMBS, rendered
from bench.report import Goal, Report, Table

Array = npt.NDArray[np.float64]

JOINTS = [*range(11, 17), *range(23, 29), 31, 32]
NOISE_PX = 5.0
# Climbs filmed upright; the others differ in what the network makes of them, not in what a fit does with it.
UPRIGHT = [climb for climb in CLIMBS if climb.mishap == "upright"]
GOAL_ACROSS_CM, GOAL_DEPTH_CM, GOAL_FIT_S, GOAL_FORCES_S = 2.0, 5.0, 4.0, 0.9


@dataclass(frozen=True)
class Surroundings:
    """What the rest of an analysis would have found, here as it truly is."""

    scene: Scene
    wall: Wall
    track: CameraTrack
    contacts: list[Contact]

    @classmethod
    def of(cls, scene: Scene) -> "Surroundings":
        eye = scene.reference
        projection = eye.intrinsics @ np.column_stack([eye.rotation, eye.translation])
        contacts = [
            Contact(limb, touch.hold_id, touch.start, touch.end, 1.0, (float(x), float(y)))
            for limb in LIMBS
            for touch in scene.climb.of_limb(limb)
            for x, y in [eye.project(scene.climb.hold(touch.hold_id).grip)]
        ]
        return cls(
            scene,
            Wall(projection, scene.options.wall_angle_deg, "user", "marker", 0.0),
            CameraTrack(np.stack([homography_between(camera, eye) for camera in scene.cameras]), 0, False),
            contacts,
        )

    def fit(self, poses: Poses) -> BodyMotion:
        motion = fit_body(poses, self.track, self.wall, self.contacts, self.scene.options.body.height_m)
        assert motion is not None
        return motion


def measure() -> Report:
    """Accuracy on rendered climbs, cost on half a minute of one."""
    columns = ["climb", "seen by", "joints, median cm", "joints, p90 cm", "x cm", "y cm", "z cm", "pixels"]
    table = Table("Error in space; x, y, z: root mean square of the centre of gravity's", columns)
    for climb in UPRIGHT:
        around = Surroundings.of(plan_scene(climb.scene))
        for name, poses in (("noise", noisy(around.scene)), ("network", network(rendered(climb).video))):
            table.rows.append([climb.name, name, *errors(around.fit(poses), around.scene)])
    seen = np.array([row[4:7] for row in table.rows if row[1] == "network"], dtype=np.float64).mean(axis=0)
    across, deep = float(seen[:2].max()), float(seen[2])
    fit_s, forces_s = cost()
    return Report(
        tables=[table],
        goals=[
            Goal(f"centre of gravity across within {GOAL_ACROSS_CM} cm ({across:.1f})", across < GOAL_ACROSS_CM),
            Goal(f"centre of gravity in depth within {GOAL_DEPTH_CM} cm ({deep:.1f})", deep < GOAL_DEPTH_CM),
            Goal(f"900 frames are fitted in {GOAL_FIT_S} s of one core ({fit_s:.2f})", fit_s <= GOAL_FIT_S),
            Goal(f"900 frames' forces take {GOAL_FORCES_S} s of one core ({forces_s:.2f})", forces_s <= GOAL_FORCES_S),
        ],
        notes=[
            f"noise: the true landmarks with {NOISE_PX} px of noise, and a depth that is 10 cm off by landmark.",
            "network: BlazePose on the rendered video. Wall, camera and contacts are the true ones for both.",
        ],
        packages=("torch", "numpy"),
    )


def noisy(scene: Scene) -> Poses:
    """True landmarks with noise, smoothed as clean poses are."""
    rng, places, t = np.random.default_rng(0), scene.motion.landmarks, scene.motion.times
    shape = (len(t), 33)
    points = np.stack([camera.project(body) for camera, body in zip(scene.cameras, places, strict=True)])
    points += rng.normal(0, NOISE_PX, points.shape)
    turned = np.stack([camera.rotation for camera in scene.cameras]).transpose(0, 2, 1)
    world = (places - places[:, [23, 24]].mean(axis=1, keepdims=True)) @ turned
    world += rng.normal(0, 0.02, world.shape) + rng.normal(0, 0.1, (1, 33, 3)) * [0, 0, 1]
    points = smooth(t, np.concatenate([points, np.zeros((*shape, 1))], axis=2), np.ones(shape))
    return Poses(t, points, np.full(shape, 0.9), world, scene.options.width, scene.options.height)


def network(video: File) -> Poses:
    """What BlazePose sees, cleaned."""
    clip, pose = Clip(video), BlazePose("cpu")
    scouted = scout(clip, pose, lambda done: None)
    raw = follow(clip, pose, Path(find_climber(scouted.keys, pose), scouted.keys), scouted, lambda done: None)
    cleaned = clean(raw)
    return replace(cleaned, visibility=trust(raw, cleaned))


def errors(motion: BodyMotion, scene: Scene) -> list[float]:
    """Centimetres: joints' median and 90th percentile, the centre of gravity's in x, y, z; and pixels."""
    truth = scene.motion.landmarks[motion.frames]
    joints = 100 * np.linalg.norm((motion.landmarks - truth)[:, JOINTS], axis=2)
    gravity = motion.gravity_centre - center_of_gravity(truth, scene.options.body.sex)
    across = 100 * np.sqrt((gravity**2).mean(axis=0))
    figures = [np.median(joints), np.percentile(joints, 90), *across, np.median(motion.error_px)]
    return [round(float(figure), 2) for figure in figures]


def cost() -> tuple[float, float]:
    """Seconds of one core for the fit and for the forces of 900 frames; the better of two runs."""
    around = Surroundings.of(
        plan_scene(SceneOptions(seed=3, duration_s=30, fps=30, wall_height_m=9, wall_angle_deg=10))
    )
    poses = noisy(around.scene)
    with one_thread():
        runs = [_timed(around, poses) for _ in range(2)]
    return min(fit for fit, _ in runs), min(forces for _, forces in runs)


def _timed(around: Surroundings, poses: Poses) -> tuple[float, float]:
    started = time.process_time()
    motion = around.fit(poses)
    fitted = time.process_time()
    pulled = torch.as_tensor(accelerations(motion.t, motion.gravity_centre))
    types = {hold.id: hold.type for hold in around.scene.climb.holds}
    grip = grips(around.contacts, types, motion.t, ease=0.2)
    touching = tips(torch.as_tensor(motion.landmarks))
    contact_forces(touching, torch.as_tensor(motion.gravity_centre), pulled, around.wall.up, grip)
    return fitted - started, time.process_time() - fitted
