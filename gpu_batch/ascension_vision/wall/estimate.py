"""How the wall stands before the camera, and how large it is.

The camera is a pin-hole one of guessed focal length, held level; the wall is a plane that leans towards it by the
wall's angle. What is left, the distance, follows from the climber's trunk, whose length is known from the height: it
moves some way off the wall and nearly parallel to it.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from ascension_vision.body.posture import phases
from ascension_vision.body.skeleton import HIPS, SHOULDERS
from ascension_vision.camera.track import CameraTrack, ReferenceView
from ascension_vision.holds.hold import Hold
from ascension_vision.pose.following import Poses
from ascension_vision.wall.wall import Wall

Array = npt.NDArray[np.float64]

# In units of the frame's long side: phones' main cameras, filming.
FOCAL, _FOCAL_ERROR = 1.03, 0.09
# How far a hand-held or put-down phone looks up or down, and how far from straight on it stands.
_PITCH_ERROR_DEG, _YAW_ERROR_DEG = 7.0, 10.0
# Walls that nobody told the angle of: most lean a little.
_USUAL_ANGLE_DEG, _ANGLE_ERROR_DEG = 8.0, 15.0
# Shares of the climber's height: the middle of the shoulders to that of the hips, as the pose network places them, and
# how far off the wall these move. Both measured on rendered climbs (docs/wall-and-contacts.md).
_TRUNK, _OFF_WALL = 0.322, 0.17
_TRUNK_ERROR, _OFF_WALL_ERROR = 0.04, 0.05
# Of grown-ups; and how well the pose network's own metres tell a person's size.
_USUAL_HEIGHT_M, _HEIGHT_ERROR, _WORLD_ERROR = 1.70, 0.08, 0.15
_WORLD_TRUNK = 0.30
_MIN_FRAMES, _MIN_HOLDS = 8, 3
_FEET = (31, 32)

ScaleSource = Literal["marker", "t_nuts", "climber_height", "world_landmarks"]


@dataclass(frozen=True)
class Stance:
    """How a plane stands before a level pin-hole camera.

    Attributes:
        focal: pixels.
        centre: ``(2,)`` the principal point, reference pixels.
        lean: radians by which the plane's top leans towards the camera.
        yaw: radians by which its right side comes towards the camera.
    """

    focal: float
    centre: Array
    lean: float
    yaw: float

    @property
    def axes(self) -> Array:
        """``(3, 3)`` columns: the wall frame's x, y and z in camera axes (x right, y down, z forward)."""
        c, s = np.cos(self.lean), np.sin(self.lean)
        straight = np.array([[1.0, 0.0, 0.0], [0.0, -c, s], [0.0, -s, -c]])
        cy, sy = np.cos(self.yaw), np.sin(self.yaw)
        turned: Array = np.array([[cy, 0.0, sy], [0.0, 1.0, 0.0], [-sy, 0.0, cy]]) @ straight
        return turned

    def rays(self, pixels: Array) -> Array:
        """``(..., 3)`` directions to ``(..., 2)`` pixels, camera axes, scaled to reach a plane one metre away."""
        ray = np.concatenate([(pixels - self.centre) / self.focal, np.ones((*pixels.shape[:-1], 1))], axis=-1)
        reach = ray @ self.axes[:, 2]
        scaled: Array = ray / -reach[..., None]
        return scaled

    def projection(self, distance: float, origin: Array) -> Array:
        """``(3, 4)`` of the wall frame whose origin is seen at a pixel, the plane being ``distance`` metres away."""
        camera = np.array([[self.focal, 0, self.centre[0]], [0, self.focal, self.centre[1]], [0, 0, 1.0]])
        matrix: Array = camera @ np.column_stack([self.axes, distance * self.rays(origin)])
        return np.asarray(matrix / matrix[2, 3])


@dataclass(frozen=True)
class _Trunks:
    """``(n, 2)`` reference pixels of the middles of shoulders and hips, while climbing; the lowest foot's place."""

    shoulders: Array
    hips: Array
    lowest: Array


def estimate_wall(
    poses: Poses,
    track: CameraTrack,
    view: ReferenceView | None,
    holds: list[Hold],
    climber_height_cm: float | None = None,
    wall_angle_deg: float | None = None,
) -> Wall | None:
    """The wall, or None where nothing tells its scale.

    Without the climber's height the scale is that of the pose network's metres, pulled towards a grown-up's height, and
    only where at least three holds say that this is a wall at all.
    """
    trunks = _trunks(poses, track)
    if trunks is None or (climber_height_cm is None and len(holds) < _MIN_HOLDS):
        return None
    source: ScaleSource = "world_landmarks"
    height, height_error = _height_of_world(poses)
    if climber_height_cm is not None:
        source, height, height_error = "climber_height", climber_height_cm / 100, 0.005
    angle = _USUAL_ANGLE_DEG if wall_angle_deg is None else wall_angle_deg
    angle_error = _ANGLE_ERROR_DEG if wall_angle_deg is None else 0.0
    long_side = max(poses.width, poses.height)
    stance = Stance(FOCAL * long_side, np.array([poses.width, poses.height]) / 2, np.radians(angle), 0.0)
    lean_error = np.radians(np.hypot(angle_error, _PITCH_ERROR_DEG))
    distance = _distance(stance, trunks, height, _OFF_WALL)
    off_error = _OFF_WALL_ERROR * height / distance
    scale_error = float(np.sqrt(height_error**2 + _TRUNK_ERROR**2 + off_error**2))
    doubts = [
        replace(stance, focal=stance.focal * (1 + _FOCAL_ERROR / FOCAL)),
        replace(stance, lean=stance.lean + lean_error),
        replace(stance, yaw=stance.yaw + np.radians(_YAW_ERROR_DEG)),
    ]
    others = [other.projection(_distance(other, trunks, height, _OFF_WALL), trunks.lowest) for other in doubts]
    others.append(stance.projection(distance * (1 + scale_error), trunks.lowest))
    return Wall(
        projection=stance.projection(distance, trunks.lowest),
        angle_deg=float(angle),
        angle_source="assumed" if wall_angle_deg is None else "user",
        scale_source=source,
        scale_error=scale_error,
        doubts=np.array(others),
    )


def _trunks(poses: Poses, track: CameraTrack) -> _Trunks | None:
    placed = track.place(poses.points[..., :2])
    before, climbing, _ = phases(poses.t, poses.points)
    during = placed[before : before + climbing]
    during = during[np.isfinite(during[:, 0, 0])]
    if len(during) < _MIN_FRAMES:
        return None
    feet = during[:, _FEET]
    lowest = np.array([np.median(feet[..., 0]), np.quantile(feet[..., 1].max(axis=1), 0.98)])
    return _Trunks(during[:, SHOULDERS].mean(axis=1), during[:, HIPS].mean(axis=1), lowest)


def _distance(stance: Stance, trunks: _Trunks, height: float, off_wall: float) -> float:
    """Metres from the camera to the wall's plane. On a plane one metre away the trunks would be so long; on the plane
    in which they move, parallel to the wall, they have the length of this climber's."""
    lengths = np.linalg.norm(stance.rays(trunks.shoulders) - stance.rays(trunks.hips), axis=1)
    return float(_TRUNK * height / np.median(lengths) + off_wall * height)


def _height_of_world(poses: Poses) -> tuple[float, float]:
    """Metres and relative standard error: what the pose network's metres say, and what is known about people."""
    trunk = poses.world[:, SHOULDERS].mean(axis=1) - poses.world[:, HIPS].mean(axis=1)
    told = float(np.nanmedian(np.linalg.norm(trunk, axis=1))) / _WORLD_TRUNK
    weights = np.array([1 / _WORLD_ERROR**2, 1 / _HEIGHT_ERROR**2])
    height = float((weights @ [told, _USUAL_HEIGHT_M]) / weights.sum())
    return height, float(1 / np.sqrt(weights.sum()))
