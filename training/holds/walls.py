"""Rendered walls, whose holds' boxes and types are known, and walls without any hold."""

from pathlib import Path

import cv2
import numpy as np
from ascension_vision.scene.gym import Gym
from ascension_vision.scene.options import CameraOptions, SceneOptions
from ascension_vision.scene.plan import plan_scene
from ascension_vision.scene.raster import Window
from ascension_vision.scene.truth import describe
from ascension_vision.scene.wall_view import WallViewOptions, wall_view

from training.holds.photos import Photo

# Of every four walls one is the gym that rendered climbs are set in; no two of the others look alike.
_CLIMBED = 4


def rendered(seed: int, kept: Path | None = None) -> tuple[Photo, list[str]]:
    """An empty wall and the type of each of its holds. ``kept``: a folder that keeps what was drawn."""
    path = kept / f"wall-{seed}.npz" if kept else None
    if path and path.exists():
        stored = np.load(path)
        return Photo(f"rendered/{seed}", stored["image"], stored["boxes"], stored["kinds"]), stored["types"].tolist()
    photo, types = _climbed(seed) if seed % _CLIMBED == 0 else _varied(seed)
    if path:
        np.savez(path, image=photo.image, boxes=photo.boxes, kinds=photo.kinds, types=np.array(types, dtype="U16"))
    return photo, types


def bare(seed: int, kept: Path | None = None) -> Photo:
    """A wall without holds."""
    path = kept / f"bare-{seed}.npz" if kept else None
    if path and path.exists():
        image = np.load(path)["image"]
    else:
        image, _ = wall_view(WallViewOptions(seed, *_size(seed), holds=False))
        if path:
            np.savez(path, image=image)
    return Photo(f"bare/{seed}", image, np.zeros((0, 4), np.float32), np.zeros(0, np.int64))


def _size(seed: int) -> tuple[int, int]:
    """Width and height."""
    return ((1000, 1000), (800, 1067), (1067, 800))[seed % 3]


def _varied(seed: int) -> tuple[Photo, list[str]]:
    image, seen = wall_view(WallViewOptions(seed, *_size(seed)))
    boxes = np.array([hold.box for hold in seen], np.float32).reshape(-1, 4)
    kinds = np.array([int(hold.kind == "volume") for hold in seen], np.int64)
    return Photo(f"rendered/{seed}", image, boxes, kinds), [hold.type for hold in seen]


def _climbed(seed: int) -> tuple[Photo, list[str]]:
    """A wall as rendered climbs show it, without the climber."""
    rng = np.random.default_rng([seed, 77])
    options = SceneOptions(
        seed=seed,
        duration_s=2.0,
        fps=2,
        width=720,
        height=int(rng.choice([960, 1280])),
        wall_angle_deg=float(rng.uniform(-10, 30)),
        camera=CameraOptions(
            distance_m=float(rng.uniform(2.4, 5.5)),
            height_m=float(rng.uniform(1.2, 1.8)),
            aside_m=float(rng.uniform(-1.2, 1.2)),
            look_height_m=float(rng.uniform(1.3, 2.4)),
            focal=float(rng.uniform(0.85, 1.1)),
        ),
    )
    scene = plan_scene(options)
    camera = scene.reference
    color, _ = Gym(options, scene.climb).draw(camera, Window(0, 0, options.width, options.height, 2))
    toned = np.clip(cv2.resize(color, (options.width, options.height), interpolation=cv2.INTER_AREA), 0, 1)
    toned = toned * (1.22 - 0.22 * toned)
    image = np.asarray(np.clip(toned * 255 + rng.normal(0, 1.1, (*toned.shape[:2], 1)), 0, 255), np.uint8)
    truth = describe(scene, [np.ones(33, bool)] * len(scene.cameras))["holds"]
    size = np.array([options.width, options.height] * 2)
    boxes = np.array([hold["box"] for hold in truth]) * size
    clipped = np.clip(boxes, 0, size)
    seen = (clipped[:, 2:] - clipped[:, :2]).clip(0).prod(1) > 0.5 * (boxes[:, 2:] - boxes[:, :2]).prod(1)
    kinds = np.array([int(hold["kind"] == "volume") for hold in truth], np.int64)
    types = [hold["type"] for hold, shown in zip(truth, seen, strict=True) if shown]
    return Photo(f"rendered/{seed}", image, clipped[seen].astype(np.float32), kinds[seen]), types
