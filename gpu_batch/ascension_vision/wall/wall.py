"""The wall before the camera, as a plane with a scale."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Wall:
    """The plane that is climbed.

    The wall frame: metres, x to the right, y up along the wall, z out of it towards the climber.

    Attributes:
        projection: ``(3, 4)`` from homogeneous metres in the wall frame to reference pixels.
        angle_deg: from the vertical, positive overhangs.
        angle_source: told by the user, estimated from the pictures, or assumed.
        scale_source: what the metres come from, in the order of trust.
        scale_error: relative standard error of every length.
    """

    projection: Array
    angle_deg: float
    angle_source: Literal["user", "estimated", "assumed"]
    scale_source: Literal["marker", "t_nuts", "climber_height", "world_landmarks"]
    scale_error: float

    def project(self, points: Array) -> Array:
        """``(..., 3)`` metres in the wall frame, to ``(..., 2)`` reference pixels."""
        mapped = points @ self.projection[:, :3].T + self.projection[:, 3]
        seen: Array = mapped[..., :2] / mapped[..., 2:]
        return seen

    def on_surface(self, pixels: Array) -> Array:
        """``(..., 2)`` reference pixels, to ``(..., 3)`` metres on the wall, z = 0."""
        plane = np.linalg.inv(self.projection[:, [0, 1, 3]])
        mapped = np.concatenate([pixels, np.ones((*pixels.shape[:-1], 1))], axis=-1) @ plane.T
        place = mapped[..., :2] / mapped[..., 2:]
        return np.concatenate([place, np.zeros((*place.shape[:-1], 1))], axis=-1)

    @property
    def up(self) -> Array:
        """``(3,)`` the direction against gravity, in the wall frame."""
        lean = np.radians(self.angle_deg)
        return np.array([0.0, np.cos(lean), -np.sin(lean)])
