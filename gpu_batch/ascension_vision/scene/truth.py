"""What a perfect analysis of a rendered climb would find, as plain JSON values.

``ascension.truth/1``: names ending in ``_m`` are metres in the wall frame, in ``_px`` pixels; other places are image
coordinates from 0 to 1 of the frame's width and height. Homographies map a frame to the first for the wall plane.
``effort`` is what the climb cost, ``expert`` what the same route costs an expert.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ascension_vision.scene.body import LANDMARKS, Array, center_of_gravity
from ascension_vision.scene.camera import Camera, homography_between, up_and_out
from ascension_vision.scene.effort import effort
from ascension_vision.scene.holds import Hold, hold_mesh
from ascension_vision.scene.plan import Scene, plan_scene

SCHEMA = "ascension.truth/1"


def describe(scene: Scene, visible: Sequence[NDArray[np.bool_]]) -> dict[str, Any]:
    """The whole truth. ``visible`` has one ``(33,)`` array a frame, as the renderer found them."""
    options, motion = scene.options, scene.motion
    size = np.array([options.width, options.height])
    gravity = center_of_gravity(motion.landmarks, options.body.sex)
    up, _ = up_and_out(options.wall_angle_deg)
    frames = []
    for index, camera in enumerate(scene.cameras):
        landmarks = motion.landmarks[index]
        frames.append(
            {
                "t": round(float(motion.times[index]), 6),
                "landmarks_m": _rounded(landmarks, 5),
                "landmarks": _rounded(camera.project(landmarks) / size, 6),
                "visible": [bool(flag) for flag in visible[index]],
                "center_of_gravity_m": _rounded(gravity[index], 5),
                "center_of_gravity": _rounded(camera.project(gravity[index]) / size, 6),
                "homography_px": _rounded(homography_between(camera, scene.reference), 9),
                "camera": {
                    "intrinsics_px": _rounded(camera.intrinsics, 4),
                    "rotation": _rounded(camera.rotation, 8),
                    "translation_m": _rounded(camera.translation, 6),
                },
            }
        )
    return {
        "schema": SCHEMA,
        "seed": options.seed,
        "video": {
            "width": options.width, "height": options.height, "fps": options.fps,
            "frame_count": options.frame_count, "duration_s": options.frame_count / options.fps,
        },
        "climber": {"height_m": options.body.height_m, "build": options.body.build, "sex": options.body.sex},
        "wall": {
            "angle_deg": options.wall_angle_deg, "height_m": options.wall_height_m,
            "origin_m": [0.0, 0.0, 0.0], "normal": [0.0, 0.0, 1.0], "up": _rounded(up, 8),
        },
        "landmark_names": list(LANDMARKS),
        "route_color": scene.climb.route_color,
        "holds": [_hold(hold, scene.reference) for hold in scene.climb.holds],
        "contacts": [
            {
                "limb": contact.limb, "hold_id": contact.hold_id,
                "start": round(contact.start, 4), "end": round(contact.end, 4), "purpose": contact.purpose,
            }
            for contact in scene.climb.contacts
        ],
        "style": asdict(options.style),
        "effort": _rounded_effort(scene),
        "expert": _rounded_effort(scene if options == options.expert else plan_scene(options.expert)),
        "frames": frames,
    }  # fmt: skip


def _hold(hold: Hold, reference: Camera) -> dict[str, Any]:
    vertices, _, _ = hold_mesh(hold)
    size = np.array([reference.width, reference.height])
    seen = reference.project(vertices)
    outline = cv2.convexHull(seen.astype(np.float32))[:, 0].astype(np.float64) / size
    return {
        "id": hold.id,
        "kind": hold.kind,
        "type": hold.type,
        "color": hold.color_name,
        "on_route": hold.on_route,
        "wall_m": _rounded(hold.center, 5),
        "grip_m": _rounded(hold.grip, 5),
        "depth_m": round(hold.depth, 5),
        "box": _rounded(np.concatenate([seen.min(axis=0) / size, seen.max(axis=0) / size]), 6),
        "outline": _rounded(outline, 6),
        "center": _rounded(reference.project(hold.center) / size, 6),
    }


def _rounded_effort(scene: Scene) -> dict[str, Any]:
    return {name: round(value, 5) for name, value in asdict(effort(scene)).items()}


def _rounded(values: Array, digits: int) -> Any:
    return np.round(values, digits).tolist()
