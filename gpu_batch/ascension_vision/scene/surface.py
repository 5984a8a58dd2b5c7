"""Wall surfaces of many kinds as flat pictures: paint, plywood, concrete, their joints, T-nuts, chalk and signs."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from ascension_vision.scene.body import Array
from ascension_vision.scene.raster import Image

# Linear RGB of what walls are made of or painted with.
_GROUNDS = (
    (0.62, 0.45, 0.28), (0.70, 0.55, 0.37), (0.55, 0.38, 0.22), (0.80, 0.78, 0.74), (0.70, 0.71, 0.73),
    (0.45, 0.46, 0.48), (0.20, 0.21, 0.23), (0.10, 0.10, 0.11), (0.33, 0.40, 0.48), (0.55, 0.50, 0.42),
    (0.18, 0.28, 0.45), (0.68, 0.60, 0.50), (0.42, 0.48, 0.42), (0.72, 0.62, 0.30), (0.50, 0.24, 0.20),
)  # fmt: skip
_TILE = 512


@dataclass(frozen=True)
class Surface:
    """``picture`` (rows, columns, 3) linear RGB 0 … 1 of ``width`` × ``height`` metres; the first row is the top."""

    picture: Image
    width: float
    height: float
    ground: tuple[float, float, float]

    @property
    def texels(self) -> tuple[float, float]:
        """Columns and rows to a metre."""
        return self.picture.shape[1] / self.width, self.picture.shape[0] / self.height


def make_surface(width: float, height: float, longest: int, rng: np.random.Generator) -> Surface:
    """A wall of ``width`` × ``height`` metres without holds, at most ``longest`` texels along its longer side."""
    texels = longest / max(width, height)
    rows, columns = max(int(height * texels), 8), max(int(width * texels), 8)
    ground = np.clip(np.array(_GROUNDS[int(rng.integers(len(_GROUNDS)))]) * rng.uniform(0.75, 1.2, 3) ** 0.6, 0, 1)
    paint = np.empty((rows, columns, 3), np.float32)
    paint[:] = ground
    _shapes(paint, ground, texels, rng)
    relief = _relief((rows, columns), texels, rng)
    _panels(paint, relief, texels, rng)
    paint *= cv2.merge([relief] * 3)
    _nuts(paint, texels, rng)
    _signs(paint, texels, rng)
    red, green, blue = (float(part) for part in ground)
    return Surface(np.clip(paint, 0, 1, out=paint), columns / texels, rows / texels, (red, green, blue))


def chalk_up(surface: Surface, spots: Array, radii: Array, rng: np.random.Generator) -> None:
    """Chalk, and rubber below, smeared about ``(n, 2)`` spots (metres from the left and from the foot), in place."""
    rows, columns = (max(size // 3, 2) for size in surface.picture.shape[:2])
    across, up = columns / surface.width, rows / surface.height
    layers = np.zeros((2, rows, columns), np.uint8)
    for (x, y), radius in zip(spots, radii, strict=True):
        for _ in range(int(rng.integers(1, 4))):
            rubber = int(rng.random() < 0.35)
            place = (x + rng.normal(0, radius), y + rng.normal(0, radius) - 1.2 * rubber * radius)
            axes = rng.uniform(0.15, 0.9, 2) * radius
            cv2.ellipse(
                layers[rubber], (int(place[0] * across), int((surface.height - place[1]) * up)),
                (max(int(axes[0] * across), 1), max(int(axes[1] * up), 1)), float(rng.uniform(0, 180)), 0, 360,
                int(rng.integers(60, 255)), -1,
            )  # fmt: skip
    chalk, soles = (
        cv2.GaussianBlur(layer, (0, 0), max(0.025 * across, 0.6)).astype(np.float32) * np.float32(most / 255)
        for layer, most in zip(layers, (rng.uniform(0.05, 0.55), rng.uniform(0.05, 0.4)), strict=True)
    )
    size = surface.picture.shape[1::-1]
    surface.picture[:] *= over((1 - chalk) * (1 - soles), size)
    surface.picture[:] += over(0.93 * chalk * (1 - soles) + 0.07 * soles, size)


def over(coarse: Image, size: tuple[int, int]) -> Image:
    """One coarse channel as three fine ones, (width, height); faster than to broadcast it over a picture."""
    return np.asarray(cv2.resize(cv2.merge([coarse] * 3), size, interpolation=cv2.INTER_LINEAR), np.float32)


@lru_cache(maxsize=2)
def _grain(kind: int) -> Image:
    """A tile of white noise (0) or of noise with features of a few texels (1), mean 0, standard deviation 1."""
    rng = np.random.default_rng([91, kind])
    tile = rng.standard_normal((_TILE, _TILE)).astype(np.float32)
    if kind:
        tile = np.asarray(cv2.GaussianBlur(tile, (0, 0), 1.6, borderType=cv2.BORDER_REFLECT), np.float32)
        tile /= tile.std()
    return tile


def grain(shape: tuple[int, int], kind: int, rng: np.random.Generator) -> Image:
    """Noise of any shape, cut from a tile that is drawn once."""
    top, left = (int(start) for start in rng.integers(_TILE, size=2))
    repeats = (shape[0] + top) // _TILE + 1, (shape[1] + left) // _TILE + 1
    return np.tile(_grain(kind), repeats)[top : top + shape[0], left : left + shape[1]]


def clouds(shape: tuple[int, int], rows: float, columns: float, rng: np.random.Generator) -> Image:
    """Smooth noise with features of so many texels along each axis, mean 0, standard deviation 1."""
    small = rng.standard_normal((int(shape[0] / max(rows, 1)) + 3, int(shape[1] / max(columns, 1)) + 3))
    return np.asarray(cv2.resize(small.astype(np.float32), shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _relief(shape: tuple[int, int], texels: float, rng: np.random.Generator) -> Image:
    """(rows, columns) about 1: how the light varies over the surface itself."""
    relief = np.ones(shape, np.float32)
    relief += np.float32(rng.uniform(0.01, 0.08)) * clouds(shape, 0.8 * texels, 0.8 * texels, rng)
    relief += np.float32(rng.uniform(0.0, 0.05)) * clouds(shape, 0.12 * texels, 0.12 * texels, rng)
    kind = rng.random()
    if kind < 0.4:  # the grain of plywood
        long, short = rng.uniform(0.3, 1.2) * texels, max(rng.uniform(0.004, 0.02) * texels, 1.0)
        upright = rng.random() < 0.5
        relief += np.float32(rng.uniform(0.02, 0.10)) * clouds(
            shape, long if upright else short, short if upright else long, rng
        )
    elif kind < 0.8:  # sanded paint or concrete
        relief += np.float32(rng.uniform(0.01, 0.09)) * grain(shape, 1, rng)
    if rng.random() < 0.2:  # moulded rock
        relief += np.float32(rng.uniform(0.05, 0.18)) * clouds(shape, 0.35 * texels, 0.25 * texels, rng)
    relief += np.float32(rng.uniform(0.0, 0.03)) * grain(shape, 0, rng)
    return relief


def _shapes(paint: Image, ground: Array, texels: float, rng: np.random.Generator) -> None:
    """Painted areas with straight edges, as gyms have them."""
    rows, columns = paint.shape[:2]
    for _ in range(int(rng.choice([0, 0, 1, 2, 3, 5]))):
        center = rng.uniform(0, 1, 2) * (columns, rows)
        corners = int(rng.integers(3, 6))
        turn = (np.arange(corners) + rng.uniform(-0.3, 0.3, corners)) * 2 * np.pi / corners + rng.uniform(0, 6.3)
        reach = rng.uniform(0.3, 2.5) * texels * rng.uniform(0.5, 1.5, corners)
        points = center + reach[:, None] * np.stack([np.cos(turn), np.sin(turn)], axis=1)
        color = rng.uniform(0.05, 0.85, 3) if rng.random() < 0.6 else ground * rng.uniform(0.5, 1.4)
        cv2.fillPoly(paint, [points.astype(np.int32)], tuple(float(part) for part in color), cv2.LINE_AA)


def _panels(paint: Image, relief: Image, texels: float, rng: np.random.Generator) -> None:
    """Panels a little lighter or darker than their neighbours, with joints and screws."""
    if rng.random() < 0.15:
        return
    rows, columns = relief.shape
    wide, high = rng.choice([1.22, 1.0, 2.44, 1.5]) * texels, rng.choice([1.22, 1.0, 2.0]) * texels
    joint, tint = float(rng.uniform(0.45, 0.95)), rng.uniform(0, 0.05)
    for left in np.arange(-rng.uniform(0, wide), columns, wide):
        for top in np.arange(-rng.uniform(0, high), rows, high):
            x0, y0, x1, y1 = (int(max(edge, 0)) for edge in (left, top, left + wide, top + high))
            paint[y0:y1, x0:x1] *= np.float32(1 + rng.normal(0, tint))
            cv2.rectangle(relief, (x0, y0), (x1, y1), joint, max(1, round(0.004 * texels)))


def _nuts(paint: Image, texels: float, rng: np.random.Generator) -> None:
    """T-nuts: a grid, a grid with every other row shifted, or strewn."""
    pattern = rng.choice(["grid", "grid", "shifted", "strewn", "none"])
    if pattern == "none":
        return
    rows, columns = paint.shape[:2]
    spacing = rng.uniform(0.12, 0.26) * texels
    if spacing < 4:
        return
    x, y = np.meshgrid(
        np.arange(rng.uniform(0, 1) * spacing, columns, spacing), np.arange(0.4 * spacing, rows, spacing)
    )
    if pattern == "shifted":
        x[1::2] += spacing / 2
    points = np.stack([x, y], axis=-1).reshape(-1, 2)
    if pattern == "strewn":
        points += rng.normal(0, 0.3 * spacing, points.shape)
    radius, dark = rng.uniform(0.006, 0.012) * texels, float(rng.uniform(0.02, 0.2))
    rim = float(rng.uniform(0.3, 0.7)) if rng.random() < 0.5 else None
    for place in points:
        center = int(place[0] * 8), int(place[1] * 8)
        if rim is not None:
            cv2.circle(paint, center, int(max(1.3 * radius, 0.8) * 8), (rim, rim, rim), -1, cv2.LINE_AA, 3)
        cv2.circle(paint, center, int(max(radius, 0.6) * 8), (dark, dark, dark), -1, cv2.LINE_AA, 3)


def _signs(paint: Image, texels: float, rng: np.random.Generator) -> None:
    """Route labels, tape and lettering, which are no holds."""
    rows, columns = paint.shape[:2]
    for _ in range(int(rng.choice([0, 0, 2, 4, 8]))):
        color = tuple(float(part) for part in rng.uniform(0.1, 0.95, 3))
        x, y = (int(place) for place in rng.uniform(0, 1, 2) * (columns, rows))
        if rng.random() < 0.5:  # tape
            turn, reach = rng.uniform(0, np.pi), rng.uniform(0.03, 0.15) * texels
            end = int(x + reach * np.cos(turn)), int(y + reach * np.sin(turn))
            cv2.line(paint, (x, y), end, color, max(1, round(0.02 * texels)), cv2.LINE_AA)
            continue
        wide, high = int(rng.uniform(0.05, 0.14) * texels), int(rng.uniform(0.03, 0.09) * texels)
        cv2.rectangle(paint, (x, y), (x + wide, y + high), color, -1)
        word = "".join(chr(int(letter)) for letter in rng.integers(65, 91, int(rng.integers(1, 5))))
        ink = 0.05 if sum(color) > 1.2 else 0.9
        patch = paint[y : y + high, x : x + wide]
        _letter(patch, word, (wide // 8, 3 * high // 4), max(high, 3) / 40, (ink, ink, ink), max(1, high // 14))
    if rng.random() < 0.12:
        word = "".join(chr(int(letter)) for letter in rng.integers(65, 91, int(rng.integers(3, 9))))
        color = tuple(float(part) for part in rng.uniform(0.0, 0.9, 3))
        place = int(rng.uniform(0, 0.6) * columns), int(rng.uniform(0.1, 0.9) * rows)
        scale = rng.uniform(0.2, 0.8) * texels / 30
        _letter(paint, word, place, scale, color, max(1, int(3 * scale)))


def _letter(
    paint: Image, word: str, place: tuple[int, int], scale: float, color: tuple[float, ...], thick: int
) -> None:
    """Letters into a picture of floating-point numbers, which OpenCV itself refuses to write on."""
    if not paint.size:
        return
    ink = np.zeros(paint.shape[:2], np.uint8)
    cv2.putText(ink, word, place, cv2.FONT_HERSHEY_DUPLEX, scale, 255, thick, cv2.LINE_AA)
    paint += (ink.astype(np.float32) / 255)[..., None] * (np.array(color, np.float32) - paint)
