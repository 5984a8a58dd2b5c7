"""How a plane stands before the camera."""

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from ascension_vision.wall.nuts import Grid

Array = npt.NDArray[np.float64]

# In units of the frame's long side: phones' main cameras, filming.
FOCAL, FOCAL_ERROR = 1.03, 0.09
_FOCALS = np.linspace(0.75, 1.35, 61)
# The same grid has steps along its sides or along one side and a diagonal.
_SHEARS = (
    ((1, 0, 0), (0, 1, 0)),
    ((1, 1, 0), (0, 1, 0)),
    ((1, -1, 0), (0, 1, 0)),
    ((1, 0, 0), (1, 1, 0)),
    ((1, 0, 0), (-1, 1, 0)),
)
# How far the two directions of a grid may be from equal steps at right angles, and how exactly that is seen.
_SQUARE, _SQUARE_ERROR = 0.1, 0.02


@dataclass(frozen=True)
class Stance:
    """A plane before a pin-hole camera, without a scale.

    Attributes:
        focal: pixels.
        centre: ``(2,)`` the principal point, reference pixels.
        axes: ``(3, 3)`` columns: the wall frame's x, y and z in camera axes (x right, y down, z forward).
    """

    focal: float
    centre: Array
    axes: Array

    @classmethod
    def level(cls, focal: float, centre: Array, lean: float, yaw: float) -> "Stance":
        """Before a camera held level. ``lean``: radians by which the plane's top comes towards the camera; ``yaw``: by
        which its right side does."""
        c, s = np.cos(lean), np.sin(lean)
        straight = np.array([[1.0, 0.0, 0.0], [0.0, -c, s], [0.0, -s, -c]])
        cy, sy = np.cos(yaw), np.sin(yaw)
        return cls(focal, centre, np.array([[cy, 0.0, sy], [0.0, 1.0, 0.0], [-sy, 0.0, cy]]) @ straight)

    @property
    def lean_deg(self) -> float:
        """By how much the plane's top comes towards a camera held level, from the vertical."""
        return float(np.degrees(np.arctan2(-self.axes[2, 1], -self.axes[1, 1])))

    def rays(self, pixels: Array) -> Array:
        """``(..., 3)`` directions to ``(..., 2)`` pixels, camera axes, scaled to reach a plane one metre away."""
        ray = np.concatenate([(pixels - self.centre) / self.focal, np.ones((*pixels.shape[:-1], 1))], axis=-1)
        reach = ray @ self.axes[:, 2]
        scaled: Array = ray / -reach[..., None]
        return scaled

    def projection(self, distance: float, origin: Array) -> Array:
        """``(3, 4)`` of the wall frame whose origin is seen at a pixel, the plane being ``distance`` metres away."""
        camera = np.array([[self.focal, 0, self.centre[0]], [0, self.focal, self.centre[1]], [0, 0, 1.0]])
        matrix = camera @ np.column_stack([self.axes, distance * self.rays(origin)])
        return np.asarray(matrix / matrix[2, 3])


@dataclass(frozen=True)
class Square:
    """A grid seen as the even, square one that it is.

    Attributes:
        distance: of its plane from the camera, in steps.
        diagonal: whether the wall's up runs along the diagonals of the grid.
    """

    stance: Stance
    distance: float
    diagonal: bool


def square(grid: Grid, long_side: float, centre: Array) -> Square | None:
    """From which focal length and stance the grid looks square; None where from none that phones have (Zhang 2000)."""
    best, least = None, np.inf
    for share, shear in product(_FOCALS, _SHEARS):
        camera = np.array([[share * long_side, 0, centre[0]], [0, share * long_side, centre[1]], [0, 0, 1.0]])
        seen = np.linalg.inv(camera) @ grid.to_pixels @ np.array([*shear, (0, 0, 1)])
        i, j = seen[:, 0], seen[:, 1]
        lengths = np.linalg.norm(i), np.linalg.norm(j)
        off = np.array([lengths[0] / lengths[1] - 1, i @ j / (lengths[0] * lengths[1])])
        cost = float(((off / _SQUARE_ERROR) ** 2).sum() + ((share - FOCAL) / FOCAL_ERROR) ** 2)
        if cost < least and np.abs(off).max() < _SQUARE:
            best, least = (float(share * long_side), seen / np.sqrt(lengths[0] * lengths[1])), cost
    if best is None:
        return None
    focal, seen = best
    if seen[2, 2] < 0:
        seen = -seen
    u, _, vt = np.linalg.svd(seen[:, :2])
    i, j = (u[:, :2] @ vt).T  # the nearest two directions at right angles
    straight = [i, j, -i, -j]
    corners = [(a + b) / np.sqrt(2) for a, b in ((i, j), (j, -i), (-i, -j), (-j, i))]
    up, corner = max(straight, key=lambda axis: -axis[1]), max(corners, key=lambda axis: -axis[1])
    diagonal = bool(corner[1] < up[1])
    y = corner if diagonal else up
    z = np.cross(i, j)
    z = -z if z @ seen[:, 2] > 0 else z
    return Square(Stance(focal, centre, np.column_stack([np.cross(y, z), y, z])), float(-z @ seen[:, 2]), diagonal)
