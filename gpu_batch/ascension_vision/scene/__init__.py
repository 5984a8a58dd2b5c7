"""Rendered climbs whose truth is known: a figure on a procedural wall, seen by a pin-hole camera.

``plan_scene(options)`` decides everything that happens (wall, moves, body motion, camera) without drawing a pixel;
``render.Renderer`` draws its frames; ``truth`` writes down what a perfect analysis would find. The climber is an expert
unless ``SceneOptions.style`` says otherwise; ``effort(scene)`` is what the climb cost, and ``options.expert`` are the
options of the same route climbed without a fault.

``wall_view(WallViewOptions(seed=…))`` is something else: a picture of a wall that nobody is on, ``(height, width, 3)``
uint8 RGB, and its holds as ``SeenHold`` (kind, type, colour, box and outline in pixels). No two seeds look alike, and
``holds=False`` gives a bare wall. It is there to train and test detectors with.

Frames of reference
    wall    origin at the foot of the wall, x right along it as the camera sees it, y up along it, z out of it; metres
    camera  OpenCV's: x right, y down, z forward; metres
    image   pixels, origin at the top-left corner of the top-left pixel
"""

from ascension_vision.scene.effort import Effort, effort
from ascension_vision.scene.options import BodyOptions, CameraOptions, SceneOptions, StyleOptions
from ascension_vision.scene.plan import Scene, plan_scene
from ascension_vision.scene.wall_view import SeenHold, WallViewOptions, wall_view

__all__ = [
    "BodyOptions", "CameraOptions", "Effort", "Scene", "SceneOptions", "SeenHold", "StyleOptions", "WallViewOptions",
    "effort", "plan_scene", "wall_view",
]  # fmt: skip
