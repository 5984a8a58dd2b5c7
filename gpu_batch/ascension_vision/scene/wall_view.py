"""Pictures of walls that nobody is on, as varied as can be, with every hold on them known: to train detectors on.

Unlike the scene of a climb, which is one gym in good light, no two of these look alike: paint, plywood and concrete,
folds, camera, lamps, sets of holds, volumes with holds on them, and what a phone's camera does to all that.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ascension_vision.scene.body import Array
from ascension_vision.scene.camera import Camera, up_and_out
from ascension_vision.scene.climb import COLORS
from ascension_vision.scene.holds import HOLD_TYPES, RINGS, SECTORS, Hold, disc_triangles, hold_mesh, size_of
from ascension_vision.scene.light import vertex_normals
from ascension_vision.scene.raster import FAR, Image, Window, paint_plane, rasterize
from ascension_vision.scene.surface import Surface, chalk_up, clouds, grain, make_surface, over

_COLORS = {**COLORS, "white": (0.80, 0.79, 0.76), "gray": (0.36, 0.36, 0.37), "brown": (0.50, 0.33, 0.18)}
_SHARES = np.array([0.20, 0.13, 0.13, 0.10, 0.07, 0.11, 0.26])  # of HOLD_TYPES without volume
_MOST_HOLDS = 240
_VARIANTS = 48  # shapes of each type; each is stretched, turned and coloured anew
_IDS_APART = 4  # the map of what is in sight is this much coarser than the picture


@dataclass(frozen=True)
class WallViewOptions:
    """One picture; equal options give equal pixels.

    ``density`` is holds to the square metre and ``span_m`` how many metres of wall the picture's longer side shows;
    None leaves either to the seed. With ``holds`` false the wall is bare (T-nuts, joints, chalk and signs remain).
    """

    seed: int = 0
    width: int = 1024
    height: int = 768
    holds: bool = True
    density: float | None = None
    span_m: float | None = None

    def __post_init__(self) -> None:
        if min(self.width, self.height) < 32:
            raise ValueError("width and height must be at least 32")


@dataclass(frozen=True)
class SeenHold:
    """One hold or volume in the picture, in pixels of it.

    ``box`` x0, y0, x1, y1 and ``outline`` (n, 2), a convex polygon, end at the picture's edge; ``visible`` is the share
    of its area that lies in the picture and behind nothing; ``center_m`` the middle of its base in the wall frame.
    """

    kind: str
    type: str
    color: str
    box: tuple[float, float, float, float]
    outline: Array
    visible: float
    center_m: Array


@dataclass(frozen=True)
class _Facet:
    """A flat part of the wall: where its lower left corner is, its axes, and which part of the surface it shows."""

    origin: Array
    along: Array
    up: Array
    left: float
    bottom: float
    width: float
    height: float

    @cached_property
    def normal(self) -> Array:
        return np.cross(self.along, self.up)

    def to_wall(self, local: Array) -> Array:
        """Metres right of and above the surface's lower left corner, and off it, to the wall frame."""
        x, y, z = local[..., :1] - self.left, local[..., 1:2] - self.bottom, local[..., 2:]
        return np.asarray(self.origin + x * self.along + y * self.up + z * self.normal)

    def corners(self) -> Array:
        ends = [(0, 0), (self.width, 0), (self.width, self.height), (0, self.height)]
        return np.array([self.origin + x * self.along + y * self.up for x, y in ends])


@dataclass(frozen=True)
class _Placed:
    """A hold's mesh in the wall frame, its shadow, and its own colour."""

    type: str
    color: str
    vertices: Array
    fallen: Array
    albedo: Array
    triangles: NDArray[np.int32]
    center: Array


def wall_view(options: WallViewOptions) -> tuple[NDArray[np.uint8], list[SeenHold]]:
    """A picture ``(height, width, 3)`` RGB of a wall without a climber, and the holds and volumes to be seen on it.

    Holds of which less than a third shows are left out of the answer, though their pixels are there.
    """
    rng = np.random.default_rng([options.seed, 40])
    span = options.span_m or float(np.exp(rng.uniform(np.log(1.1), np.log(8.5))))
    width, height = span * rng.uniform(0.85, 1.9, 2) * np.array([options.width, options.height])
    width, height = (float(side) / max(options.width, options.height) for side in (width, height))
    camera, facets = _compose(options, span, width, height, rng)
    surface = make_surface(width, height, min(max(options.width, options.height), 1500), rng)
    lamp = _Lamp(rng)
    fine = 40 * span / max(options.width, options.height)
    placed = _set_holds(options, surface, facets, lamp, fine, rng) if options.holds else []
    if placed or rng.random() < 0.3:
        count = len(placed) or int(rng.integers(3, 40))
        spots, radii = rng.uniform(0, 1, (count, 2)) * (width, height), rng.uniform(0.03, 0.12, count)
        chalk_up(surface, spots, radii, rng)
    picture = _backdrop(options, camera, facets, lamp, rng)
    window = Window(0, 0, options.width, options.height, 1)
    across, up = surface.texels
    texel = np.array([[1 / across, 0, 0], [0, -1 / up, surface.height], [0, 0, 1]])
    for facet in facets:
        shift = np.array([[1, 0, -facet.left], [0, 1, -facet.bottom], [0, 0, 1.0]])
        plane = camera.plane_homography(facet.origin, facet.along, facet.up)
        top, foot = surface.height - facet.bottom - facet.height, surface.height - facet.bottom
        rows = slice(max(round(top * up), 0), round(foot * up))
        columns = slice(round(facet.left * across), round((facet.left + facet.width) * across))
        if not surface.picture[rows, columns].size:
            continue
        part = np.array([[1, 0, columns.start], [0, 1, rows.start], [0, 0, 1.0]])
        lamplight = np.diag(lamp.on(facet.normal[None])[0]).astype(np.float32)
        lit = np.asarray(cv2.transform(surface.picture[rows, columns], lamplight), np.float32)
        paint_plane(lit, plane @ shift @ texel @ part, window, picture)
    seen = _draw_holds(picture, camera, window, placed, lamp, rng)
    return _develop(picture, rng), seen


def _compose(
    options: WallViewOptions, span: float, width: float, height: float, rng: np.random.Generator
) -> tuple[Camera, list[_Facet]]:
    """Where the camera stands and how the wall is folded, so that all of the wall is well before the camera."""
    focal = rng.uniform(0.72, 1.3)
    tilt = float(rng.uniform(-12, 50))
    up, _ = up_and_out(tilt)
    for attempt in range(30):
        calm = 1 - attempt / 30
        facets = _fold(width, height, calm, rng)
        target = rng.uniform(-0.25, 0.25, 2) * calm * (width, height)
        yaw, pitch = np.radians(rng.normal(0, 16) * calm), np.radians((rng.normal(0, 12) - 0.5 * tilt) * calm)
        away = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
        aim = np.array([*target, 0.0])
        position = aim + span * focal * away
        forward = -away
        right = np.cross(forward, up)
        right /= np.linalg.norm(right)
        roll = np.radians(rng.normal(0, 4))
        turn = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1.0]])
        rotation = turn @ np.stack([right, np.cross(forward, right), forward])
        pixels = focal * max(options.width, options.height)
        intrinsics = np.array([[pixels, 0, options.width / 2], [0, pixels, options.height / 2], [0, 0, 1.0]])
        camera = Camera(intrinsics, rotation, -rotation @ position, options.width, options.height)
        before = all(camera.to_camera(facet.corners())[:, 2].min() > 0.2 * span for facet in facets)
        if before:
            break
    facing = [facet for facet in facets if facet.normal @ (position - facet.origin) > 0.08 * span]
    # the farthest is painted first
    facing.sort(key=lambda facet: -float(camera.to_camera(facet.corners())[:, 2].mean()))
    return camera, facing


def _fold(width: float, height: float, calm: float, rng: np.random.Generator) -> list[_Facet]:
    """One to three facets side by side or one above the other, about the wall frame's origin."""
    pieces = int(rng.choice([1, 1, 2, 3]))
    upright = rng.random() < 0.6
    length = width if upright else height
    edges = np.concatenate([[0.0], np.sort(rng.uniform(0.2, 0.8, pieces - 1)), [1.0]]) * length
    angles = np.cumsum(np.concatenate([[0.0], rng.uniform(-0.7, 0.7, pieces - 1)])) * calm
    angles = angles - angles[pieces // 2]
    facets: list[_Facet] = []
    place = np.zeros(3)
    for start, end, angle in zip(edges[:-1], edges[1:], angles, strict=True):
        bent = np.array([np.cos(angle), 0, np.sin(angle)] if upright else [0, np.cos(angle), np.sin(angle)])
        if upright:
            facets.append(_Facet(place, bent, np.array([0, 1.0, 0]), start, 0.0, end - start, height))
        else:
            facets.append(_Facet(place, np.array([1.0, 0, 0]), bent, 0.0, start, width, end - start))
        place = place + (end - start) * bent
    middle = facets[pieces // 2]
    center = middle.origin + 0.5 * middle.width * middle.along + 0.5 * middle.height * middle.up
    return [
        _Facet(facet.origin - center, facet.along, facet.up, facet.left, facet.bottom, facet.width, facet.height)
        for facet in facets
    ]


class _Lamp:
    """The light in one picture: a lamp somewhere above or beside, a weaker one opposite, and light from all round."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.key = _unit(np.array([rng.uniform(-0.9, 0.9), rng.uniform(0.0, 1.0), rng.uniform(0.35, 1.0)]))
        self._fill = _unit(np.array([-self.key[0], rng.uniform(-0.5, 0.5), 0.6]))
        warm = rng.uniform(-0.12, 0.12)
        self._tints = [np.array([1 + warm * sign, 1.0, 1 - warm * sign]) for sign in (1, -1, 0.3)]
        self._powers = rng.uniform(0.45, 0.95), rng.uniform(0.0, 0.3), rng.uniform(0.2, 0.55)
        self.shadow = float(rng.uniform(0.15, 0.75))
        self.softness = float(rng.uniform(0.004, 0.05))  # metres
        self.gloss = float(rng.choice([0.0, 0.05, 0.15, 0.35]))

    def on(self, normals: Array) -> Array:
        """(n, 3): what a white surface with those unit normals sends back."""
        key = np.clip((normals @ self.key + 0.15) / 1.15, 0, None)
        fill = np.clip(normals @ self._fill, 0, None)
        around = 0.75 + 0.25 * normals[:, 1]
        parts = zip((key, fill, around), self._powers, self._tints, strict=True)
        light: Array = sum((power * part[:, None] * tint for part, power, tint in parts), start=np.zeros((1, 3)))
        return light

    def shine(self, normals: Array) -> Array:
        """(n, 1): the highlight on glossy holds."""
        middle = _unit(self.key + np.array([0.0, 0.0, 1.0]))
        return np.asarray(self.gloss * np.clip(normals @ middle, 0, None)[:, None] ** 20)


# --- holds ----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=2 * len(HOLD_TYPES) * _VARIANTS)
def _shape(kind: str, variant: int, coarse: bool) -> tuple[Array, Array, Array, NDArray[np.int32]]:
    """Vertices in units of half width, half height and depth; albedo as ``gain * color + own``; triangles.

    ``coarse`` shapes have a quarter of the triangles, for holds that are small in the picture.
    """
    if coarse:
        *parts, triangles = _shape(kind, variant, False)
        if len(parts[0]) != RINGS * SECTORS:
            return parts[0], parts[1], parts[2], triangles
        rings = np.unique([*range(0, RINGS, 2), RINGS - 1])
        kept = (rings[:, None] * SECTORS + np.arange(0, SECTORS, 2)).ravel()
        vertices, gain, own = (part[kept] for part in parts)
        return vertices, gain, own, disc_triangles(len(rings), SECTORS // 2)
    rng = np.random.default_rng([92, HOLD_TYPES.index(kind), variant])
    seed = int(rng.integers(2**31))

    def mesh(tone: float) -> tuple[Array, Array, NDArray[np.int32]]:
        color = (tone, tone, tone)
        return hold_mesh(Hold(0, kind, "", color, np.zeros(3), 1.0, 1.0, 1.0, 0.0, seed, on_route=variant % 3 == 0))

    if kind == "volume" and variant % 5 == 4:  # a smooth dome, as fibreglass volumes are
        dome = Hold(0, "sloper", "", (1.0, 1.0, 1.0), np.zeros(3), 1.0, 1.0, 1.0, 0.0, seed)
        vertices, albedo, triangles = hold_mesh(dome)
        return vertices, np.ones_like(albedo), np.zeros_like(albedo), triangles
    # the bolt is measured in metres there, and these are no metres: one more is painted below
    vertices, bright, triangles = mesh(0.8)
    _, dark, _ = mesh(0.0)
    gain, own = (bright - dark) / 0.8, dark
    if kind != "volume":
        x, y, _ = vertices.T
        # bananas, wedges and lumps: the type stays what it is
        vertices = vertices.copy()
        vertices[:, 1] += rng.normal(0, 0.22) * (x**2 - 0.4)
        vertices[:, 0] *= 1 + rng.normal(0, 0.18) * y
        lump = sum(np.cos(rng.normal(0, 2.2) * x + rng.normal(0, 2.2) * y + rng.uniform(0, 6.3)) for _ in range(3))
        vertices[:, 2] *= 1 + rng.uniform(0, 0.12) * np.asarray(lump)
        bolt = np.hypot(x, y) < 0.1  # the middle and the ring about it, so that it is round
        if kind not in ("foothold", "pocket"):
            gain[bolt], own[bolt] = 0.0, 0.1
    return vertices, gain, own, triangles


def _set_holds(
    options: WallViewOptions, surface: Surface, facets: list[_Facet], lamp: _Lamp, fine: float, rng: np.random.Generator
) -> list[_Placed]:
    """Volumes first, then holds between and upon them; ``fine``: the half width, metres, that deserves a fine mesh."""
    area = surface.width * surface.height
    density = options.density or float(np.exp(rng.uniform(np.log(1.2), np.log(16))))
    names = rng.choice(list(_COLORS), int(rng.integers(2, len(_COLORS) + 1)), replace=False)
    grown = rng.uniform(0.8, 1.5)  # some gyms like their holds large
    placed: list[_Placed] = []
    taken = np.zeros((0, 3))  # x, y, radius of what is on the wall

    def free(x: float, y: float, radius: float) -> bool:
        apart = np.hypot(taken[:, 0] - x, taken[:, 1] - y)
        return bool(np.all(apart > 0.9 * (taken[:, 2] + radius)))

    def facet_at(x: float, y: float) -> _Facet | None:
        for facet in facets:
            if 0 <= x - facet.left <= facet.width and 0 <= y - facet.bottom <= facet.height:
                return facet
        return None

    def add(kind: str, half: Array, facet: _Facet, origin: Array, axes: Array) -> _Placed:
        """``origin`` and the columns of ``axes`` are in surface metres."""
        name = str(rng.choice(names))
        color = np.array(_COLORS[name]) * rng.uniform(0.7, 1.25) * rng.uniform(0.85, 1.15, 3)
        if kind == "volume" and rng.random() < 0.55:
            name = "brown" if rng.random() < 0.5 else "gray"
            if rng.random() < 0.3:  # painted like the wall
                color = np.array(surface.ground)
                name = min(_COLORS, key=lambda known: float(np.linalg.norm(np.array(_COLORS[known]) - color)))
            else:
                color = np.array(_COLORS[name]) * rng.uniform(0.5, 1.4)
        turn = rng.uniform(-np.pi, np.pi) if kind == "volume" or rng.random() < 0.25 else rng.normal(0, 0.35)
        shape, gain, own, triangles = _shape(kind, int(rng.integers(_VARIANTS)), float(half.max()) < fine)
        local = shape * half
        cosine, sine = np.cos(turn), np.sin(turn)
        local = local @ np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1.0]])
        local = origin + local @ axes.T
        albedo = gain * np.clip(color, 0.01, 0.95) + own
        if kind != "volume" and rng.random() < 0.12:  # two-coloured: smooth parts black or pale
            part = shape[:, 2] < rng.uniform(0.3, 0.8)
            albedo[part] = gain[part] * rng.choice([0.06, 0.5, 0.8])
        toward = np.array([lamp.key @ facet.along, lamp.key @ facet.up, max(float(lamp.key @ facet.normal), 0.3)])
        fallen = local - local[:, 2:] / toward[2] * toward
        vertices = facet.to_wall(local)
        center = facet.to_wall(origin[None])[0]
        return _Placed(kind, name, vertices, facet.to_wall(fallen), np.clip(albedo, 0, 1), triangles, center)

    flat = np.eye(3)
    if rng.random() < 0.6:
        for _ in range(int(rng.integers(1, 3 + int(min(area * 0.4, 12))))):
            half = np.array([*rng.uniform(0.16, 0.55, 2), 0.0])
            half[2] = rng.uniform(0.25, 0.6) * half[:2].min()
            radius = float(half[:2].max())
            x, y = rng.uniform(0, 1, 2) * (surface.width, surface.height)
            facet = facet_at(x, y)
            if facet is None or not free(x, y, 0.8 * radius):
                continue
            volume = add("volume", half, facet, np.array([x, y, 0.0]), flat)
            placed.append(volume)
            taken = np.vstack([taken, [x, y, 0.8 * radius]])
            corners = volume.vertices[volume.triangles]
            for _ in range(int(rng.choice([0, 0, 1, 2, 3]))):
                small = np.array(size_of(_any_type(rng), rng)) * 0.75
                held = _upon(corners, facet, 0.7 * float(small.max()), rng)
                if held is not None:
                    placed.append(add(_any_type(rng), small, facet, *held))
    wanted = min(int(density * area) + 1, _MOST_HOLDS)
    for _ in range(2 * wanted):
        if len(placed) >= wanted:
            break
        kind = _any_type(rng)
        half = np.array(size_of(kind, rng)) * grown * rng.uniform(0.65, 1.5) * rng.uniform(0.85, 1.2, 3)
        x, y = rng.uniform(0, 1, 2) * (surface.width, surface.height)
        facet = facet_at(x, y)
        if facet is not None and free(x, y, float(half[:2].max())):
            placed.append(add(kind, half, facet, np.array([x, y, 0.0]), flat))
            taken = np.vstack([taken, [x, y, float(half[:2].max())]])
    return placed


def _any_type(rng: np.random.Generator) -> str:
    return str(rng.choice(HOLD_TYPES[:-1], p=_SHARES))


def _upon(corners: Array, facet: _Facet, room: float, rng: np.random.Generator) -> tuple[Array, Array] | None:
    """A spot on a volume and its axes, in surface metres, at least ``room`` above the wall's plane; None without one.

    ``corners`` (triangles, 3, 3) are in the wall frame.
    """
    offset = corners - facet.origin
    local = np.stack([offset @ facet.along + facet.left, offset @ facet.up + facet.bottom, offset @ facet.normal], -1)
    across = np.cross(local[:, 1] - local[:, 0], local[:, 2] - local[:, 0])
    middle = local.mean(axis=1)
    height = middle[:, 2]
    able = np.flatnonzero((height > 0.35 * height.max()) & (np.linalg.norm(across, axis=1) > 1e-9) & (across[:, 2] > 0))
    if not len(able) or height.max() < room:
        return None
    chosen = int(rng.choice(able))
    normal = _unit(across[chosen])
    up = _unit(np.array([0.0, 1.0, 0.0]) - normal * normal[1])
    return middle[chosen], np.stack([np.cross(up, normal), up, normal], axis=1)


def _draw_holds(
    picture: Image, camera: Camera, window: Window, placed: list[_Placed], lamp: _Lamp, rng: np.random.Generator
) -> list[SeenHold]:
    """Draw shadows and holds into the picture in place; what is to be seen of each."""
    if not placed:
        return []
    counts = [len(hold.vertices) for hold in placed]
    starts = np.cumsum([0, *counts])
    vertices = np.concatenate([hold.vertices for hold in placed])
    triangles = np.concatenate([hold.triangles + start for hold, start in zip(placed, starts, strict=False)])
    triangles = triangles.astype(np.int32)
    pixels = camera.project(vertices)
    hulls = [
        np.asarray(cv2.convexHull(part.astype(np.float32))[:, 0], np.float32) for part in np.split(pixels, starts[1:-1])
    ]
    fallen = np.split(camera.project(np.concatenate([hold.fallen for hold in placed])), starts[1:-1])
    _shade_wall(picture, camera, hulls, fallen, lamp)
    normals = vertex_normals(vertices, triangles)
    colors = np.concatenate([hold.albedo for hold in placed]) * lamp.on(normals) + lamp.shine(normals)
    colors *= 1 + 0.05 * rng.standard_normal((len(colors), 1))
    depth = np.full(window.shape, FAR, np.float32)
    rasterize(camera, window, vertices, colors, triangles, picture, depth)
    shown = _areas_in_sight(camera, vertices, triangles, counts)
    edge = np.array([camera.width, camera.height], np.float32)
    seen = []
    for hold, hull, area in zip(placed, hulls, shown, strict=True):
        visible = min(float(area) / max(float(cv2.contourArea(hull)), 1.0), 1.0)
        outline = np.clip(hull, 0, edge).astype(np.float64)
        (x0, y0), (x1, y1) = outline.min(axis=0), outline.max(axis=0)
        if visible < 1 / 3 or min(x1 - x0, y1 - y0) < 3:
            continue
        kind = "volume" if hold.type == "volume" else "hold"
        box = float(x0), float(y0), float(x1), float(y1)
        seen.append(SeenHold(kind, hold.type, hold.color, box, outline, visible, hold.center))
    return seen


def _areas_in_sight(camera: Camera, vertices: Array, triangles: NDArray[np.int32], counts: list[int]) -> Array:
    """(holds,) square pixels that each hold covers, nothing before it, counted on a coarse map."""
    zoom = np.diag([1 / _IDS_APART, 1 / _IDS_APART, 1.0])
    width, height = -(-camera.width // _IDS_APART), -(-camera.height // _IDS_APART)
    coarse = Camera(zoom @ camera.intrinsics, camera.rotation, camera.translation, width, height)
    window = Window(0, 0, width, height, 1)
    ids = np.repeat(np.arange(1, len(counts) + 1), counts) / (len(counts) + 1)
    picture = np.zeros((height, width, 3), np.float32)
    depth = np.full((height, width), FAR, np.float32)
    rasterize(coarse, window, vertices, np.repeat(ids[:, None], 3, axis=1), triangles, picture, depth)
    found = np.rint(picture[..., 0] * (len(counts) + 1)).astype(np.int64)
    return np.asarray(np.bincount(found.ravel(), minlength=len(counts) + 1)[1:] * float(_IDS_APART**2))


def _shade_wall(picture: Image, camera: Camera, hulls: list[Image], fallen: list[Array], lamp: _Lamp) -> None:
    """The holds' shadows and the dark line about their feet, in place."""
    low = 2
    shape = camera.height // low, camera.width // low
    cast, foot = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    for hull, shadow in zip(hulls, fallen, strict=True):
        outer = cv2.convexHull(np.concatenate([hull, shadow.astype(np.float32)]))[:, 0] / low
        cv2.fillConvexPoly(cast, np.round(outer * 8).astype(np.int32), 255, cv2.LINE_8, 3)
        cv2.fillConvexPoly(foot, np.round(hull / low * 8).astype(np.int32), 255, cv2.LINE_8, 3)
    metre = camera.intrinsics[0, 0] / max(float(camera.translation[2]), 0.3) / low
    soft = cv2.GaussianBlur(cast, (0, 0), float(np.clip(lamp.softness * metre, 0.5, 30)))
    near = cv2.GaussianBlur(foot, (0, 0), float(np.clip(0.007 * metre, 0.5, 10)))
    dark = np.maximum(soft, near).astype(np.float32)
    picture *= over(1 - np.float32(lamp.shadow / 255) * dark, (camera.width, camera.height))


# --- all round, and the phone -----------------------------------------------------------------------------------------


def _backdrop(
    options: WallViewOptions, camera: Camera, facets: list[_Facet], lamp: _Lamp, rng: np.random.Generator
) -> Image:
    """The hall behind the wall, with beams and banners, and the mats before it."""
    # out of focus: drawn small
    low = np.empty((options.height // 3, options.width // 3, 3), np.float32)
    low[:] = rng.uniform(0.02, 0.5) * rng.uniform(0.8, 1.2, 3)
    longest = max(low.shape)
    for _ in range(int(rng.integers(0, 14))):
        color = tuple(float(part) for part in rng.uniform(0.0, 0.8) * rng.uniform(0.8, 1.2, 3))
        ends = (rng.uniform(-0.2, 1.2, (2, 2)) * low.shape[1::-1]).astype(int)
        thick = max(1, int(rng.uniform(0.003, 0.05) * longest))
        cv2.line(low, ends[0].tolist(), ends[1].tolist(), color, thick, cv2.LINE_AA)
    picture = np.asarray(cv2.resize(low, (options.width, options.height)), np.float32)
    foot = min(float(facet.corners()[:, 1].min()) for facet in facets) if facets else 0.0
    mats = np.empty((96, 192, 3), np.float32)
    mats[:] = rng.uniform(0.04, 0.4) * rng.uniform(0.6, 1.4, 3) * lamp.on(np.array([[0.0, 1.0, 0.0]]))
    for column in range(0, 192, int(rng.integers(20, 60))):
        mats[:, column : column + 1] *= 0.5
    mats *= 1 + 0.05 * clouds((96, 192), 20, 20, rng)[..., None]
    # four metres deep at most, and never as far as the camera
    position = -camera.rotation.T @ camera.translation
    deep = min(4.0, 0.7 * float(position[2]))
    texel = np.array([[12 / 192, 0, -6.0], [0, deep / 96, 0], [0, 0, 1]])
    plane = camera.plane_homography(np.array([0.0, foot, 0.0]), np.array([1.0, 0, 0]), np.array([0, 0, 1.0]))
    ends = camera.to_camera(np.array([[x, foot, z] for x in (-6, 6) for z in (0, deep)]))
    if ends[:, 2].min() > 0.1:
        paint_plane(mats, plane @ texel, Window(0, 0, options.width, options.height, 1), picture)
    return picture


def _develop(picture: Image, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Uneven light, exposure, white balance, lens, tone curve, noise and JPEG, as phones add them."""
    height, width = picture.shape[:2]
    coarse = (max(height // 16, 2), max(width // 16, 2))
    light = 1 + np.float32(rng.uniform(0, 0.16)) * clouds(coarse, 0.5 * coarse[0], 0.5 * coarse[1], rng)
    rows, columns = np.linspace(-1, 1, coarse[0])[:, None], np.linspace(-1, 1, coarse[1])[None, :]
    light += rng.uniform(-0.3, 0.3) * rows + rng.uniform(-0.3, 0.3) * columns
    light -= rng.uniform(0, 0.18) * (rows**2 + columns**2)
    # phones expose for the middle of the picture
    bright = float(picture[height // 4 : 3 * height // 4 : 4, width // 4 : 3 * width // 4 : 4].mean())
    exposure = float(np.clip(rng.uniform(0.22, 0.5) / max(bright, 1e-3), 0.7, 3.0))
    gains = 255 * exposure * rng.normal(1, 0.05, 3)
    light = np.clip(light, 0.15, 2)
    tinted = cv2.merge([(light * gain).astype(np.float32) for gain in gains])
    image = picture * np.asarray(cv2.resize(tinted, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    done = np.asarray(cv2.convertScaleAbs(np.clip(image, 0, 255, out=image)), np.uint8)
    blur = rng.uniform(0.35, 0.8) if rng.random() < 0.7 else rng.uniform(0.8, 2.2)
    done = np.asarray(cv2.GaussianBlur(done, (0, 0), blur * max(1.0, max(width, height) / 1600)), np.uint8)
    tones = np.arange(256) / 255
    done = np.asarray(cv2.LUT(done, np.round(255 * tones ** rng.uniform(0.62, 1.0)).astype(np.uint8)), np.uint8)
    noise = np.float32(rng.uniform(0.5, 6.0)) * grain((height, width), int(rng.random() < 0.5), rng)
    done = np.asarray(cv2.add(done, cv2.merge([np.round(noise).astype(np.int16)] * 3), dtype=cv2.CV_8U), np.uint8)
    if rng.random() < 0.6:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 93))]
        done = np.asarray(cv2.imdecode(cv2.imencode(".jpg", done, quality)[1], cv2.IMREAD_COLOR), np.uint8)
    return done


def _unit(vector: Array) -> Array:
    return np.asarray(vector / np.linalg.norm(vector))
