"""Everything that happens in a rendered climb, decided before a pixel is drawn."""

from dataclasses import dataclass

import numpy as np

from ascension_vision.scene.camera import Camera, camera_path
from ascension_vision.scene.climb import Climb, plan_climb
from ascension_vision.scene.motion import Motion, move_body
from ascension_vision.scene.options import SceneOptions


@dataclass(frozen=True)
class Scene:
    """A planned climb. ``cameras`` has one entry a frame; the first is the reference view."""

    options: SceneOptions
    climb: Climb
    motion: Motion
    cameras: list[Camera]

    @property
    def reference(self) -> Camera:
        return self.cameras[0]


def plan_scene(options: SceneOptions) -> Scene:
    """Plan the wall, the moves, the body and the camera. The same options always give the same plan."""
    # separate streams, so that a change to one part leaves the others as they were
    wall, body, hand = (np.random.default_rng([options.seed, stream]) for stream in range(3))
    climb = plan_climb(options, wall)
    motion = move_body(climb, options, body)
    followed = motion.landmarks[:, [11, 12, 23, 24]].mean(axis=1)
    return Scene(options, climb, motion, camera_path(options, followed, hand))
