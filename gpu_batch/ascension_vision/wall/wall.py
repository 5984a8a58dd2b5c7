"""The wall before the camera, as a plane with a scale."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
AngleSource = Literal["user", "estimated", "assumed"]

# Half the width of the interval that holds nine in ten, in standard deviations of a place's distance from the truth:
# 1.64 where it can only be off in one direction, 1.52 where in both alike.
_NINE_IN_TEN = 1.6


@dataclass(frozen=True)
class Wall:
    """The plane that is climbed.

    The wall frame: metres, x to the right, y up along the wall, z out of it towards the climber. Its origin is at the
    height of the climber's lowest foot.

    Attributes:
        projection: ``(3, 4)`` from homogeneous metres in the wall frame to reference pixels.
        angle_deg: from the vertical, positive overhangs.
        angle_source: told by the user, estimated from the pictures, or assumed.
        scale_source: what the metres come from, in the order of trust.
        scale_error: relative standard error of every length.
        doubts: ``(n, 3, 4)`` what the projection would be with one of the things that are not known for sure (focal
            length, tilt, scale, …) a standard error off, each on its own.
    """

    projection: Array
    angle_deg: float
    angle_source: AngleSource
    scale_source: Literal["t_nuts", "climber_height", "world_landmarks"]
    scale_error: float
    doubts: Array = field(default_factory=lambda: np.zeros((0, 3, 4)))

    def project(self, points: Array) -> Array:
        """``(..., 3)`` metres in the wall frame, to ``(..., 2)`` reference pixels."""
        mapped = points @ self.projection[:, :3].T + self.projection[:, 3]
        seen: Array = mapped[..., :2] / mapped[..., 2:]
        return seen

    def on_surface(self, pixels: Array, height: float = 0.0) -> Array:
        """``(..., 2)`` reference pixels, to ``(..., 3)`` metres on the wall, z = 0; or what is seen there ``height``
        metres off it, z = ``height``."""
        return _on_surface(self.projection, pixels, height)

    def error_cm(self, pixels: Array, height: float = 0.0, own_m: float = 0.0) -> Array:
        """``(n,)`` half width in cm of the interval that holds the true place of each of ``(n, 2)`` pixels in nine of
        ten cases, given their true arrangement.

        A wall frame may lie anywhere on its wall, so these are the errors that are left when it is laid over the true
        one as well as it goes; errors of scale and perspective remain, and grow away from the middle.

        Args:
            own_m: standard error of each place by itself, metres.
        """
        here = _on_surface(self.projection, pixels, height)[:, :2]
        variance = np.full(len(here), own_m**2)
        for other in self.doubts:
            there = _on_surface(other, pixels, height)[:, :2]
            variance += ((_laid_over(there, here) - here) ** 2).sum(axis=1)
        error: Array = 100 * _NINE_IN_TEN * np.sqrt(variance)
        return error

    @property
    def up(self) -> Array:
        """``(3,)`` the direction against gravity, in the wall frame."""
        lean = np.radians(self.angle_deg)
        return np.array([0.0, np.cos(lean), -np.sin(lean)])


def _on_surface(projection: Array, pixels: Array, height: float) -> Array:
    plane = np.column_stack([projection[:, :2], projection[:, 2] * height + projection[:, 3]])
    mapped = np.concatenate([pixels, np.ones((*pixels.shape[:-1], 1))], axis=-1) @ np.linalg.inv(plane).T
    place = mapped[..., :2] / mapped[..., 2:]
    return np.concatenate([place, np.full((*place.shape[:-1], 1), height)], axis=-1)


def _laid_over(points: Array, target: Array) -> Array:
    """``(n, 2)`` points, moved and turned so that they lie as near to the target as possible (Kabsch 1976)."""
    middle, aim = points.mean(axis=0), target.mean(axis=0)
    u, _, vt = np.linalg.svd((points - middle).T @ (target - aim))
    turn = u @ np.diag([1.0, np.sign(np.linalg.det(u @ vt)) or 1.0]) @ vt
    return np.asarray((points - middle) @ turn + aim)
