"""Light in the gym: a large lamp above and behind the camera, a weaker one from the side, and light off the mats."""

import numpy as np
from numpy.typing import NDArray

from ascension_vision.scene.body import Array

KEY = np.array([-0.42, 0.72, 0.62]) / np.linalg.norm([-0.42, 0.72, 0.62])
_FILL = np.array([0.75, 0.15, 0.64]) / np.linalg.norm([0.75, 0.15, 0.64])


def shade(albedo: Array, normals: Array, gloss: Array | float = 0.0) -> Array:
    """Lit colours ``(n, 3)`` of surfaces of that albedo with unit ``normals`` in the wall frame."""
    key = np.clip((normals @ KEY + 0.18) / 1.18, 0, None)
    fill = np.clip((normals @ _FILL + 0.3) / 1.3, 0, None)
    sky = 0.5 + 0.5 * normals[:, 1]
    warm, cool, bounce = np.array([1.0, 0.97, 0.91]), np.array([0.86, 0.93, 1.0]), np.array([0.80, 0.86, 1.0])
    light = 0.84 * key[:, None] * warm + 0.24 * fill[:, None] * cool + (0.20 + 0.20 * sky)[:, None] * bounce
    middle = (KEY + np.array([0.0, 0.0, 1.0])) / np.linalg.norm(KEY + np.array([0.0, 0.0, 1.0]))
    shine = np.clip(normals @ middle, 0, None) ** 24 * gloss
    return np.asarray(albedo * light + np.reshape(shine, (-1, 1)))


def vertex_normals(vertices: Array, triangles: NDArray[np.int32]) -> Array:
    """Unit normals ``(n, 3)``: the faces around a vertex, weighted by area."""
    a, b, c = (vertices[triangles[:, corner]] for corner in range(3))
    faces = np.cross(b - a, c - a)
    normals = np.stack(
        [
            sum(np.bincount(triangles[:, corner], faces[:, axis], len(vertices)) for corner in range(3))
            for axis in range(3)
        ],
        axis=1,
    )
    return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12))
