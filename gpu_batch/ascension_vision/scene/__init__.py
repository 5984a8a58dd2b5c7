"""Rendered climbs whose truth is known: a figure on a procedural wall, seen by a pin-hole camera.

``plan_scene(options)`` decides everything that happens (wall, moves, body motion, camera) without drawing a pixel;
``render.Renderer`` draws its frames; ``truth`` writes down what a perfect analysis would find.

Frames of reference
    wall    origin at the foot of the wall, x right along it as the camera sees it, y up along it, z out of it; metres
    camera  OpenCV's: x right, y down, z forward; metres
    image   pixels, origin at the top-left corner of the top-left pixel
"""

from ascension_vision.scene.options import BodyOptions, CameraOptions, SceneOptions
from ascension_vision.scene.plan import Scene, plan_scene

__all__ = ["BodyOptions", "CameraOptions", "Scene", "SceneOptions", "plan_scene"]
