"""What a perfect analysis would find in a climb that was planned but never rendered."""

from itertools import pairwise
from typing import Any, Literal, cast

import cv2
import numpy as np
import numpy.typing as npt
from ascension_vision.body.cleaning import clean
from ascension_vision.camera.track import CameraTrack
from ascension_vision.contacts.contact import LIMBS, Contact, Limb, Move
from ascension_vision.ghost.ghost import Cue, Ghost, GhostContact
from ascension_vision.holds.hold import Hold
from ascension_vision.metrics.metric import Metric
from ascension_vision.pose.following import Poses
from ascension_vision.result.document import Findings
from ascension_vision.scene import Scene
from ascension_vision.scene.camera import homography_between
from ascension_vision.scene.holds import hold_mesh
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]


def findings(scene: Scene, tremble_px: float = 3.0, **more: Any) -> Findings:
    """All parts of the scene's climb, with landmarks that trembled before they were cleaned."""
    options, count = scene.options, len(scene.motion.times)
    poses = clean(_poses(scene, tremble_px))
    contacts = _contacts(scene)
    parts: dict[str, Any] = {
        "video": {
            "width": options.width, "height": options.height, "fps": float(options.fps),
            "source_fps": float(options.fps), "frame_count": count, "duration_s": round(count / options.fps, 3),
        },
        "poses": poses,
        "model_versions": {"ascension_vision": "test"},
        "camera": camera(scene),
        "wall": wall(scene),
        "holds": _holds(scene),
        "contacts": contacts,
        "moves": moves(contacts),
        "loads": _loads(contacts, poses.t),
        "ghost": ghost(scene, contacts),
        "metrics": {
            "max_reach_cm": Metric(87.25, "cm", "The longest way of a hand.", 4.1, ("contacts", "wall")),
            "avg_tension": Metric(0.3123456, "ratio", "Mean load on the hands.", 0.08, ("loads",)),
            "movement_efficiency": Metric(None, "ratio", "How near the Ghost.", reason="The Ghost was not asked for."),
            "hold_count": Metric(len({contact.hold_id for contact in contacts}), "holds", "How many were used."),
        },
    }  # fmt: skip
    return Findings(**parts | more)


def _poses(scene: Scene, tremble_px: float) -> Poses:
    chance = np.random.default_rng(scene.options.seed)
    space = scene.motion.landmarks
    seen = np.stack([camera.project(points) for camera, points in zip(scene.cameras, space, strict=True)])
    depth = np.stack([camera.to_camera(points) for camera, points in zip(scene.cameras, space, strict=True)])
    world = depth - depth[:, 23:25].mean(axis=1, keepdims=True)
    metre = np.linalg.norm(np.ptp(seen, axis=1), axis=1) / np.linalg.norm(np.ptp(depth[..., :2], axis=1), axis=1)
    points = np.concatenate([seen, world[..., 2:] * metre[:, None, None]], axis=-1)
    points = points + chance.normal(0, tremble_px, points.shape)
    world = world + chance.normal(0, tremble_px / 500, world.shape)
    visibility = np.clip(0.8 + 0.1 * np.sin(scene.motion.times[:, None] + np.arange(33)), 0, 1)
    return Poses(scene.motion.times, points, visibility, world, scene.options.width, scene.options.height)


def camera(scene: Scene) -> CameraTrack:
    """Every frame's homography to the first."""
    track = np.stack([homography_between(frame, scene.reference) for frame in scene.cameras])
    return CameraTrack(track, 0, still=bool(np.allclose(track, np.eye(3))))


def wall(scene: Scene) -> Wall:
    """The scene's wall as the first frame sees it."""
    seen = scene.reference
    projection = seen.intrinsics @ np.column_stack([seen.rotation, seen.translation])
    return Wall(projection, scene.options.wall_angle_deg, "estimated", "climber_height", 0.03)


def _holds(scene: Scene) -> list[Hold]:
    holds = []
    for hold in scene.climb.holds:
        outline = cv2.convexHull(scene.reference.project(hold_mesh(hold)[0]).astype(np.float32))[:, 0].astype(float)
        (x0, y0), (x1, y1) = outline.min(axis=0), outline.max(axis=0)
        x, y, z = (float(value) for value in hold.center)
        kind = cast(Literal["hold", "volume"], hold.kind)
        route = 0 if hold.on_route else None
        box = (x0, y0, x1, y1)
        place = (x, y, z)
        holds.append(Hold(hold.id, kind, hold.type, 0.8, 0.95, box, outline, hold.color_name, route, place, 3.0))
    return holds


def _contacts(scene: Scene) -> list[Contact]:
    grips = {hold.id: scene.reference.project(hold.grip) for hold in scene.climb.holds}
    return [
        Contact(
            cast(Limb, contact.limb), contact.hold_id, contact.start, contact.end, 0.9,
            (float(grips[contact.hold_id][0]), float(grips[contact.hold_id][1])),
        )
        for contact in scene.climb.contacts
    ]  # fmt: skip


def moves(contacts: list[Contact]) -> list[Move]:
    """From each contact of a limb to its next."""
    by_limb = [sorted((one for one in contacts if one.limb == limb), key=lambda one: one.start) for limb in LIMBS]
    return sorted(
        (
            Move(before.limb, before.hold_id, after.hold_id, before.end, after.start)
            for own in by_limb
            for before, after in pairwise(own)
        ),
        key=lambda move: move.start,
    )


def _loads(contacts: list[Contact], t: Array) -> Array:
    on = np.array(
        [[any(c.limb == limb and c.start <= now <= c.end for c in contacts) for limb in LIMBS] for now in t],
        dtype=np.float64,
    )
    loads: Array = on * (0.2, 0.2, 0.4, 0.4) * (1 + 0.05 * np.sin(t)[:, None])
    loads[~on.any(axis=1)] = np.nan
    return loads


def ghost(scene: Scene, contacts: list[Contact]) -> Ghost:
    """The climber as their own Ghost, a tenth faster."""
    t = scene.motion.times
    count = len(t)
    grips = {hold.id: tuple(float(value) for value in hold.grip) for hold in scene.climb.holds}
    return Ghost(
        t=t * 0.9,
        climber_t=t,
        landmarks=scene.motion.landmarks,
        loads=np.nan_to_num(_loads(contacts, t)) * 0.9,
        contacts=[
            GhostContact(
                c.limb, c.hold_id, c.start * 0.9, c.end * 0.9, cast(tuple[float, float, float], grips[c.hold_id or 0])
            )
            for c in contacts
        ],
        certificate={
            "passed": True,
            "gates": {
                "bone_drift": {"value": 0.0012, "limit": 0.01, "unit": "ratio", "passed": True, "worst_t": 1.5},
                "contact_slip": {"value": 0.31, "limit": 1.0, "unit": "cm", "passed": True, "worst_t": 2.0},
                "joint_limits": {"value": 0.0, "limit": 0.0, "unit": "deg", "passed": True, "worst_t": None},
                "equilibrium": {"value": 0.02, "limit": 0.05, "unit": "ratio", "passed": True, "worst_t": 0.0},
            },
            "frames": {
                "bone_drift": (0.0012 * np.abs(np.sin(t))).tolist(),
                "contact_slip_cm": (0.31 * np.abs(np.cos(t))).tolist(),
                "equilibrium": [None if i < 3 else 0.02 for i in range(count)],
            },
            "change": {"jerk": -0.41, "hand_load": -0.124, "path": -0.2, "duration": -0.1},
            "foot_order": [
                {"limb": "left_foot", "hold_id": 3, "before": "right_hand", "at": 2.35, "saved": 0.1236},
                {"limb": "right_foot", "hold_id": 5, "before": "left_hand", "at": 4.1, "saved": 0.1236},
            ],
            "bones": [[11, 13], [13, 15], [12, 14], [14, 16], [23, 25], [25, 27], [24, 26], [26, 28]],
        },
        cues=[
            Cue(
                at=1.23, key="hips-closer", values={"distance_cm": 11.0}, text="Bring your hips closer.",
                metric="hand_load", change=-0.08123456, possible=True,
            )
        ],
        gravity_centre=scene.motion.landmarks[:, 23:25].mean(axis=1),
        effort=cast(Any, None),
        climber_effort=cast(Any, None),
    )  # fmt: skip
