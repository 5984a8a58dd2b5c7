"""The room: painted panels with their T-nuts, chalk and rubber; the holds; the mats on the floor."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ascension_vision.scene.body import Array
from ascension_vision.scene.camera import Camera, up_and_out
from ascension_vision.scene.climb import Climb
from ascension_vision.scene.holds import hold_mesh
from ascension_vision.scene.light import KEY, shade, vertex_normals
from ascension_vision.scene.options import SceneOptions
from ascension_vision.scene.raster import Image, Window, paint_plane, planes_depth, rasterize

WALL_HALF_WIDTH = 2.6
_PANEL, _NUT_SPACING = 1.22, 0.2
_MAT_TEXELS, _MAT_LENGTH = 160, 5.0
_PAINTS = (
    ((0.80, 0.78, 0.74), (0.36, 0.47, 0.56)),
    ((0.74, 0.76, 0.78), (0.88, 0.62, 0.30)),
    ((0.83, 0.80, 0.73), (0.42, 0.55, 0.50)),
    ((0.72, 0.72, 0.74), (0.30, 0.34, 0.42)),
)
# a spot of the wall, metres, to a texel
Pixel = Callable[[float, float], tuple[int, int]]
_DARKNESS = (14, 15, 18)


@dataclass(frozen=True)
class Mesh:
    """Lit triangles: ``vertices`` (n, 3) wall metres, ``colors`` (n, 3), ``triangles`` (m, 3)."""

    vertices: Array
    colors: Array
    triangles: NDArray[np.int32]


def joined(meshes: list[Mesh]) -> Mesh:
    """Several meshes as one."""
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes[:-1])])
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.colors for mesh in meshes]),
        np.concatenate([mesh.triangles + start for mesh, start in zip(meshes, starts, strict=True)]).astype(np.int32),
    )


class Gym:
    """Everything that does not move, drawn for any camera."""

    def __init__(self, options: SceneOptions, climb: Climb) -> None:
        self.options = options
        rng = np.random.default_rng([options.seed, 10])
        self.up, self.out = up_and_out(options.wall_angle_deg)
        holds = _hold_meshes(climb)
        self.holds = joined(
            holds
        )  # one call to the rasteriser costs as much as its whole window, however few triangles
        # as fine as the image, drawn twice as fine, shows the wall, or a little less: the paint is blurred anyway
        focal = options.camera.focal * max(options.width, options.height)
        self._texels = float(np.clip(1.6 * focal / options.camera.distance_m, 60, 900))
        self._wall = _wall_texture(options, climb, holds, self._texels, rng)
        self._mats = _mat_texture(rng)

    def draw(self, camera: Camera, window: Window) -> tuple[Image, Image]:
        """Colour (h, w, 3), 0 to 1, and depth (h, w) in metres of the empty gym."""
        picture = np.empty((*window.shape, 3), np.uint8)
        picture[:] = _DARKNESS
        # texture rows run down, the wall's y runs up
        texel = np.array([[1 / self._texels, 0, -WALL_HALF_WIDTH], [0, -1 / self._texels, 0], [0, 0, 1]])
        texel[1, 2] = self.options.wall_height_m
        paint_plane(self._wall, camera.wall_homography() @ texel, window, picture)
        floor = camera.plane_homography(np.zeros(3), np.array([1.0, 0, 0]), self.out)
        texel = np.array([[1 / _MAT_TEXELS, 0, -4.0], [0, 1 / _MAT_TEXELS, 0.0], [0, 0, 1]])
        paint_plane(self._mats, floor @ texel, window, picture)
        color: Image = np.multiply(picture, np.float32(1 / 255), dtype=np.float32)
        planes = [(np.zeros(3), np.array([0.0, 0.0, 1.0])), (np.zeros(3), self.up)]
        depth = planes_depth(camera, window, planes)
        rasterize(camera, window, self.holds.vertices, self.holds.colors, self.holds.triangles, color, depth)
        return color, depth


def _hold_meshes(climb: Climb) -> list[Mesh]:
    meshes = []
    for hold in climb.holds:
        vertices, albedo, triangles = hold_mesh(hold)
        normals = vertex_normals(vertices, triangles)
        # less light reaches the rim, where hold and wall meet
        shelter = 0.62 + 0.38 * np.clip(vertices[:, 2] / (0.45 * hold.depth), 0, 1)
        gloss = 0.02 if hold.type == "volume" else 0.10
        meshes.append(Mesh(vertices, shade(albedo * shelter[:, None], normals, gloss), triangles))
    return meshes


def _noise(shape: tuple[int, int], cell: float, rng: np.random.Generator) -> Image:
    """Smooth noise about 0 with standard deviation 1 and features of ``cell`` pixels."""
    small = rng.standard_normal((int(shape[0] / cell) + 3, int(shape[1] / cell) + 3)).astype(np.float32)
    return np.asarray(cv2.resize(small, shape[::-1], interpolation=cv2.INTER_CUBIC), np.float32)


def _wall_texture(
    options: SceneOptions, climb: Climb, holds: list[Mesh], texels: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """(rows, columns, 3) lit RGB of the wall plane, ``texels`` pixels a metre, with every hold's shadow on it."""
    height, width = int(options.wall_height_m * texels), int(2 * WALL_HALF_WIDTH * texels)
    base, accent = (np.array(paint, np.float32) for paint in _PAINTS[int(rng.integers(len(_PAINTS)))])

    def pixel(x: float, y: float) -> tuple[int, int]:
        return round((x + WALL_HALF_WIDTH) * texels), round((options.wall_height_m - y) * texels)

    wall = np.broadcast_to(base, (height, width, 3)).copy()
    # one bold painted shape, as gyms have them
    lean = rng.uniform(0.5, 1.1) * rng.choice([-1.0, 1.0])
    start = rng.uniform(-0.6, 0.8)
    band = rng.uniform(1.0, 1.7)
    corners = [pixel(start + lean * y + side, y) for y, side in ((-1, 0), (6, 0), (6, band), (-1, band))]
    paint = np.zeros((height, width), np.uint8)
    cv2.fillPoly(paint, [np.array(corners, np.int32)], 255, cv2.LINE_AA)
    wall += (paint.astype(np.float32) / 255)[..., None] * (accent - wall)
    light = (
        1 + 0.018 * _noise((height, width), 0.56 * texels, rng) + 0.012 * _noise((height, width), 0.09 * texels, rng)
    )
    light += 0.014 * _noise((height, width), max(0.007 * texels, 1.0), rng)
    for column in range(int(2 * WALL_HALF_WIDTH / _PANEL) + 1):
        for row in range(int(options.wall_height_m / _PANEL) + 1):
            x0, y0 = pixel(-WALL_HALF_WIDTH + column * _PANEL, (row + 1) * _PANEL)
            x1, y1 = pixel(-WALL_HALF_WIDTH + (column + 1) * _PANEL, row * _PANEL)
            x0, y0 = max(x0, 0), max(y0, 0)
            light[y0:y1, x0:x1] *= 1 + rng.normal(0, 0.012)
            cv2.rectangle(light, (x0, y0), (x1, y1), 0.62, max(1, round(0.004 * texels)))
            cv2.rectangle(light, (x0 + 2, y0 + 2), (x1 - 2, y1 - 2), 1.06, 1)
    wall *= light[..., None]
    for x in np.arange(-WALL_HALF_WIDTH + 0.11, WALL_HALF_WIDTH, _NUT_SPACING):
        for y in np.arange(0.11, options.wall_height_m, _NUT_SPACING):
            center = pixel(x, y)
            cv2.circle(wall, center, max(1, round(0.0110 * texels)), (0.55, 0.55, 0.56), -1, cv2.LINE_AA)
            cv2.circle(wall, center, max(1, round(0.0087 * texels)), (0.13, 0.13, 0.14), -1, cv2.LINE_AA)
    _wear(wall, climb, pixel, texels, rng)
    # light falls off towards the top corners and the floor
    rows = np.linspace(options.wall_height_m, 0, height, dtype=np.float32)[:, None]
    columns = np.linspace(-WALL_HALF_WIDTH, WALL_HALF_WIDTH, width, dtype=np.float32)[None, :]
    lit = shade(np.ones((1, 3)), np.array([[0.0, 0.0, 1.0]]))[0].astype(np.float32)
    fall = 1.03 - 0.022 * (columns + 0.3) ** 2 - 0.018 * (rows - 2.6) ** 2
    fall *= 1 - 0.38 * np.exp(-rows / 0.10)
    wall *= (fall * (1 - 0.50 * _hold_shadows(holds, pixel, texels, (height, width))))[..., None] * lit
    return np.asarray(np.clip(wall, 0, 1) * 255, dtype=np.uint8)


def _hold_shadows(holds: list[Mesh], pixel: Pixel, texels: float, shape: tuple[int, int]) -> Image:
    """(rows, columns) 0 to 1: where a hold keeps the lamp's light off the wall, plus the dark line around its foot."""
    cast, foot = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    for mesh in holds:
        fallen = mesh.vertices - mesh.vertices[:, 2:] / KEY[2] * KEY
        for vertices, layer in ((fallen, cast), (mesh.vertices, foot)):
            points = np.array([pixel(x, y) for x, y, _ in vertices], np.int32)
            cv2.fillConvexPoly(layer, cv2.convexHull(points), 255, cv2.LINE_AA)
    soft = cv2.GaussianBlur(cast, (0, 0), 0.015 * texels).astype(np.float32) / 255
    near = cv2.GaussianBlur(foot, (0, 0), 0.009 * texels).astype(np.float32) / 255
    return np.maximum(soft, 0.8 * near)


def _wear(wall: Image, climb: Climb, pixel: Pixel, texels: float, rng: np.random.Generator) -> None:
    """Chalk about the hand holds and rubber below the footholds, smeared as use smears them."""
    for hold in climb.holds:
        if hold.type == "volume":
            continue
        amount = 1.0 if hold.on_route else 0.35
        dark = hold.type == "foothold"
        for _ in range(int(rng.integers(4, 9))):
            x, y = pixel(
                hold.center[0] + rng.normal(0, 0.55 * hold.radius),
                hold.center[1] + (-0.5 if dark else 0.1) * hold.radius + rng.normal(0, 0.6 * hold.radius),
            )
            size = max(1, round(rng.uniform(0.013, 0.048) * texels))
            top, left = max(y - 3 * size, 0), max(x - 3 * size, 0)
            patch = wall[top : y + 3 * size, left : x + 3 * size]
            if patch.size == 0:
                continue
            rows, columns = np.mgrid[top : top + patch.shape[0], left : left + patch.shape[1]]
            turn = rng.uniform(-0.5, 0.5)
            along = (columns - x) * np.cos(turn) + (rows - y) * np.sin(turn)
            across = -(columns - x) * np.sin(turn) + (rows - y) * np.cos(turn)
            smear = np.exp(-((along / (0.5 * size)) ** 2) - (across / (1.1 * size)) ** 2).astype(np.float32)
            smear *= amount * rng.uniform(0.08, 0.24)
            tone = np.float32(0.10 if dark else 0.97)
            patch += smear[..., None] * (tone - patch)


def _mat_texture(rng: np.random.Generator) -> NDArray[np.uint8]:
    """(rows, columns, 3) RGB of the floor: rows run away from the wall."""
    height, width = int(_MAT_LENGTH * _MAT_TEXELS), int(8.0 * _MAT_TEXELS)
    base = np.array([(0.17, 0.23, 0.34), (0.20, 0.21, 0.24), (0.16, 0.27, 0.29)][int(rng.integers(3))], np.float32)
    mats = np.broadcast_to(base, (height, width, 3)).copy()
    mats *= (1 + 0.03 * _noise((height, width), 90, rng) + 0.02 * _noise((height, width), 2.2, rng))[..., None]
    for x in range(0, width, int(2.0 * _MAT_TEXELS)):
        cv2.line(mats, (x, 0), (x, height), (0.07, 0.08, 0.10), 3, cv2.LINE_AA)
        cv2.line(mats, (x + 4, 0), (x + 4, height), (0.30, 0.34, 0.40), 1, cv2.LINE_AA)
    for y in range(0, height, int(1.5 * _MAT_TEXELS)):
        cv2.line(mats, (0, y), (width, y), (0.07, 0.08, 0.10), 3, cv2.LINE_AA)
    distance = np.linspace(0, _MAT_LENGTH, height, dtype=np.float32)[:, None, None]
    mats *= (1.05 - 0.45 * np.exp(-distance / 0.22)) * (1 - 0.04 * distance)
    return np.asarray(np.clip(mats, 0, 1) * 255, dtype=np.uint8)
