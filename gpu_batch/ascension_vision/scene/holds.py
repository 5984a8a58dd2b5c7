"""Climbing holds: what they are, and their shape as a mesh on the wall plane."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ascension_vision.scene.body import Array

HOLD_TYPES = ("jug", "crimp", "sloper", "pinch", "pocket", "edge", "foothold", "volume")

# Half width, half height and depth off the wall in metres: middle of the range met in gyms.
_SIZES = {
    "jug": (0.085, 0.058, 0.070),
    "crimp": (0.060, 0.026, 0.026),
    "sloper": (0.105, 0.085, 0.060),
    "pinch": (0.040, 0.085, 0.060),
    "pocket": (0.070, 0.062, 0.050),
    "edge": (0.105, 0.030, 0.036),
    "foothold": (0.042, 0.026, 0.030),
    "volume": (0.30, 0.30, 0.17),
}
RINGS, SECTORS = 14, 30


@dataclass(frozen=True)
class Hold:
    """A hold bolted to the wall. ``center`` is on the wall plane, ``grip`` where it is held or stood on."""

    id: int
    type: str
    color_name: str
    color: tuple[float, float, float]  # linear RGB, 0 to 1
    center: Array  # (3,) metres, wall frame, z = 0
    half_width: float
    half_height: float
    depth: float
    turn: float  # radians in the wall plane
    shape_seed: int
    on_route: bool = False

    @property
    def kind(self) -> str:
        return "volume" if self.type == "volume" else "hold"

    @property
    def grip(self) -> Array:
        """(3,) the middle of the upper lip, where fingers close and toes stand."""
        lip = {"sloper": 0.62, "pocket": 0.12, "pinch": 0.35}.get(self.type, 0.55)
        reach = {"sloper": 0.75, "pocket": 0.85}.get(self.type, 0.9)
        return np.asarray(self.center + np.array([0.0, lip * self.half_height, reach * self.depth]))

    @property
    def radius(self) -> float:
        return max(self.half_width, self.half_height)


def size_of(kind: str, rng: np.random.Generator) -> tuple[float, float, float]:
    """Half width, half height, depth of a new hold of that type, metres."""
    width, height, depth = np.array(_SIZES[kind]) * rng.uniform(0.85, 1.18) * rng.uniform(0.94, 1.06, 3)
    return float(width), float(height), float(depth)


def hold_mesh(hold: Hold) -> tuple[Array, Array, NDArray[np.int32]]:
    """Vertices ``(n, 3)`` in wall metres, albedo ``(n, 3)``, triangles ``(m, 3)`` counter-clockwise from outside."""
    if hold.type == "volume":
        return _volume_mesh(hold)
    rng = np.random.default_rng(hold.shape_seed)
    radius = np.linspace(0.0, 1.0, RINGS)[:, None]
    angle = np.linspace(0, 2 * np.pi, SECTORS, endpoint=False)[None, :]
    outline = np.ones_like(angle)
    for order in (2, 3, 4):
        outline = outline + rng.normal(0, 0.055 / order * 2) * np.cos(order * angle + rng.uniform(0, 6.3))
    corner = {"edge": 4.5, "crimp": 3.5, "pinch": 3.0}.get(hold.type, 2.4)
    square = (np.abs(np.cos(angle)) ** corner + np.abs(np.sin(angle)) ** corner) ** (-1 / corner)
    x = radius * outline * square * np.cos(angle)
    y = radius * outline * square * np.sin(angle)
    dome = np.clip(1 - radius ** {"sloper": 2.0, "foothold": 2.6}.get(hold.type, 3.4), 0, None) ** 0.62
    height = dome * np.ones_like(x)
    if hold.type in ("jug", "edge", "crimp"):
        # a lip along the upper part, a scoop behind it (towards the wall) and a slope falling away below
        scoop = 0.6 if hold.type == "jug" else 0.3
        height = height * (0.80 + 0.34 * np.exp(-(((y - 0.42) / 0.28) ** 2)))
        height = height - scoop * np.exp(-(((y - 0.86) / 0.24) ** 2)) * np.exp(-((x / 0.72) ** 4)) * dome
    elif hold.type == "pinch":
        height = height * (0.55 + 0.5 * np.exp(-((x / 0.42) ** 2)))
    elif hold.type == "pocket":
        height = height - 0.85 * dome * np.exp(-(((x / 0.40) ** 2 + ((y - 0.12) / 0.34) ** 2) ** 2))
    height = np.clip(height, 0.0, None)
    local = np.stack([x * hold.half_width, y * hold.half_height, height * hold.depth], axis=-1).reshape(-1, 3)
    albedo = np.tile(np.asarray(hold.color), (len(local), 1))
    albedo *= 1 + 0.05 * rng.standard_normal((len(local), 1))
    if hold.type == "pocket":
        hole = np.hypot(x / 0.40, (y - 0.12) / 0.34).reshape(-1)
        albedo[hole < 0.85] *= 0.30
    elif hold.type != "foothold":
        # the bolt: a dark hole with the steel head in it
        bolt = np.hypot(local[:, 0], local[:, 1] + 0.12 * hold.half_height)
        albedo[bolt < 0.011] = (0.10, 0.10, 0.11)
    chalk = np.exp(-(((y - 0.45) / 0.35) ** 2)).reshape(-1, 1) * (0.34 if hold.on_route else 0.10)
    if hold.type != "foothold":
        albedo = albedo * (1 - chalk) + chalk * np.array([0.92, 0.92, 0.90])
    return _place(hold, local), np.clip(albedo, 0, 1), disc_triangles(RINGS, SECTORS)


def _place(hold: Hold, local: Array) -> Array:
    cosine, sine = np.cos(hold.turn), np.sin(hold.turn)
    turned = local @ np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1.0]])
    return np.asarray(turned + hold.center)


def disc_triangles(rings: int, sectors: int) -> NDArray[np.int32]:
    """Triangles of a disc of vertices in so many rings of so many sectors, the innermost ring first."""
    ring = np.arange(rings - 1)[:, None] * sectors
    sector = np.arange(sectors)[None, :]
    inner, inner_next = ring + sector, ring + (sector + 1) % sectors
    outer, outer_next = inner + sectors, inner_next + sectors
    first = np.stack([inner, outer, outer_next], axis=-1)
    second = np.stack([inner, outer_next, inner_next], axis=-1)
    return np.concatenate([first.reshape(-1, 3), second.reshape(-1, 3)]).astype(np.int32)


def _volume_mesh(hold: Hold) -> tuple[Array, Array, NDArray[np.int32]]:
    """A faceted plywood pyramid with a flat, off-centre top."""
    rng = np.random.default_rng(hold.shape_seed)
    corners = int(rng.integers(3, 6))
    angles = np.sort(np.linspace(0, 2 * np.pi, corners, endpoint=False) + rng.uniform(-0.25, 0.25, corners))
    base = np.stack([np.cos(angles) * hold.half_width, np.sin(angles) * hold.half_height, np.zeros(corners)], axis=-1)
    shift = rng.uniform(-0.18, 0.18, 2) * hold.half_width
    top = base * rng.uniform(0.22, 0.38) + np.array([*shift, hold.depth])
    vertices: list[Array] = []
    triangles: list[tuple[int, int, int]] = []

    def facet(points: list[Array], steps: int = 6) -> None:
        # split finely, so that light and shadow vary over a face
        start = sum(len(part) for part in vertices)
        if len(points) == 4:
            u, v = np.meshgrid(np.linspace(0, 1, steps), np.linspace(0, 1, steps), indexing="ij")
            a, b, c, d = points
            grid = (1 - u[..., None]) * ((1 - v[..., None]) * a + v[..., None] * d) + u[..., None] * (
                (1 - v[..., None]) * b + v[..., None] * c
            )
            vertices.append(grid.reshape(-1, 3))
            for i in range(steps - 1):
                for j in range(steps - 1):
                    k = start + i * steps + j
                    triangles.extend([(k, k + steps, k + steps + 1), (k, k + steps + 1, k + 1)])
        else:
            vertices.append(np.array(points))
            triangles.extend([(start, start + i, start + i + 1) for i in range(1, len(points) - 1)])

    for i in range(corners):
        j = (i + 1) % corners
        facet([base[i], base[j], top[j], top[i]])
    facet(list(top))
    local = np.concatenate(vertices)
    albedo = np.tile(np.asarray(hold.color), (len(local), 1)) * (1 + 0.02 * rng.standard_normal((len(local), 1)))
    return _place(hold, local), np.clip(albedo, 0, 1), np.array(triangles, dtype=np.int32)
