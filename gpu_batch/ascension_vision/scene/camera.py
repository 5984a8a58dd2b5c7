"""The pin-hole camera and its path."""

from dataclasses import dataclass

import numpy as np

from ascension_vision.scene.body import Array
from ascension_vision.scene.options import SceneOptions


@dataclass(frozen=True)
class Camera:
    """One frame's camera: ``x_image ~ K (R x_wall + t)``, pixels and metres."""

    intrinsics: Array  # (3, 3) K
    rotation: Array  # (3, 3) R, wall to camera
    translation: Array  # (3,) t, metres
    width: int
    height: int

    def to_camera(self, points: Array) -> Array:
        """``(..., 3)`` wall metres to camera metres."""
        return np.asarray(points @ self.rotation.T + self.translation)

    def project(self, points: Array) -> Array:
        """``(..., 3)`` wall metres to ``(..., 2)`` pixels. Points must lie before the camera."""
        seen = self.to_camera(points) @ self.intrinsics.T
        return np.asarray(seen[..., :2] / seen[..., 2:])

    def plane_homography(self, origin: Array, along: Array, across: Array) -> Array:
        """(3, 3) from plane coordinates (u along, v across, metres) of a wall-frame plane to pixels."""
        columns = np.stack([self.rotation @ along, self.rotation @ across, self.to_camera(origin)], axis=1)
        return np.asarray(self.intrinsics @ columns)

    def wall_homography(self) -> Array:
        """(3, 3) from wall metres (x, y) on the plane z = 0 to pixels."""
        return self.plane_homography(np.zeros(3), np.array([1.0, 0, 0]), np.array([0, 1.0, 0]))


def up_and_out(wall_angle_deg: float) -> tuple[Array, Array]:
    """The vertical, and the horizontal that points away from the wall, as unit vectors of the wall frame."""
    angle = np.radians(wall_angle_deg)
    return np.array([0.0, np.cos(angle), -np.sin(angle)]), np.array([0.0, np.sin(angle), np.cos(angle)])


def homography_between(frame: Camera, reference: Camera) -> Array:
    """(3, 3) pixels of ``frame`` to pixels of ``reference`` for points of the wall plane; bottom right is 1."""
    matrix = reference.wall_homography() @ np.linalg.inv(frame.wall_homography())
    return np.asarray(matrix / matrix[2, 2])


def camera_path(options: SceneOptions, climber: Array, rng: np.random.Generator) -> list[Camera]:
    """A camera for every frame. ``climber`` is ``(frames, 3)``: what a panning camera would follow, already smooth."""
    chosen = options.camera
    up, out = up_and_out(options.wall_angle_deg)
    position = chosen.aside_m * np.array([1.0, 0, 0]) + chosen.height_m * up + chosen.distance_m * out
    target = np.array([0.0, chosen.look_height_m, 0.0])
    focal = chosen.focal * max(options.width, options.height)
    intrinsics = np.array([[focal, 0, options.width / 2], [0, focal, options.height / 2], [0, 0, 1.0]])
    shake = _hand_held(options, rng)
    cameras: list[Camera] = []
    still = chosen.pan == 0 and chosen.shake_deg == 0
    for index in range(options.frame_count):
        if still and cameras:
            cameras.append(cameras[0])
            continue
        aim = target + chosen.pan * (climber[index] - climber[0])
        forward = aim - position
        forward = forward / np.linalg.norm(forward)
        right = np.cross(forward, up)
        right /= np.linalg.norm(right)
        rotation = _small_rotation(shake[index]) @ np.stack([right, np.cross(forward, right), forward])
        cameras.append(Camera(intrinsics, rotation, -rotation @ position, options.width, options.height))
    return cameras


def _hand_held(options: SceneOptions, rng: np.random.Generator) -> Array:
    """(frames, 3) rotation vectors, radians: a few slow sines with random phases, as a hand sways and trembles."""
    times = np.arange(options.frame_count) / options.fps
    frequencies = np.array([0.31, 0.73, 1.7, 4.3])
    weights = np.array([1.0, 0.7, 0.3, 0.08])
    phases = rng.uniform(0, 2 * np.pi, (3, 4))
    sway = np.sin(2 * np.pi * times[:, None, None] * frequencies + phases) * weights
    unit = sway.sum(axis=2) / np.sqrt((weights**2).sum() / 2)
    return np.asarray(np.radians(options.camera.shake_deg) * unit * np.array([1.0, 1.0, 0.5]))


def _small_rotation(vector: Array) -> Array:
    """Rodrigues' formula."""
    angle = float(np.linalg.norm(vector))
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = vector / angle
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)
