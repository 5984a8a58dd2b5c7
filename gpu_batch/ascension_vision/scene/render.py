"""Frames of a planned scene, one at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ascension_vision.scene.body import INDEX, Array, proportions
from ascension_vision.scene.camera import Camera
from ascension_vision.scene.figure import Figure
from ascension_vision.scene.gym import Gym, Mesh
from ascension_vision.scene.light import KEY
from ascension_vision.scene.plan import Scene
from ascension_vision.scene.raster import FAR, Image, Window, rasterize

_FINE = 2  # drawn this much finer than the image, then averaged
_SHADOW_DEPTH = 0.42


@dataclass(frozen=True)
class Frame:
    """One rendered frame. ``visible`` (33,) is true for landmarks that nothing hides."""

    index: int
    time: float
    image: NDArray[np.uint8]  # (height, width, 3) RGB
    visible: NDArray[np.bool_]


class Renderer:
    """Draws a scene's frames; each frame depends only on the scene and its index."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.gym = Gym(scene.options, scene.climb)
        self.figure = Figure(scene.options, scene.motion)
        self._backdrop: tuple[Camera, Image, Image] | None = None
        options = scene.options
        rng = np.random.default_rng([options.seed, 30])
        # sensor noise: one tile, shifted from frame to frame, which costs less than drawing it anew and looks the same
        self._noise = rng.normal(0, 1.1, (options.height + 64, options.width + 64, 1)).astype(np.float32)
        rows = np.linspace(-1, 1, options.height, dtype=np.float32)[:, None]
        columns = np.linspace(-1, 1, options.width, dtype=np.float32)[None, :]
        self._vignette = (1 - 0.07 * (rows**2 + columns**2))[..., None]

    def frames(self) -> Iterator[Frame]:
        """Every frame in order."""
        for index in range(self.scene.options.frame_count):
            yield self.frame(index)

    def frame(self, index: int) -> Frame:
        """Draw one frame."""
        camera = self.scene.cameras[index]
        mesh = self.figure.mesh(index)
        fallen = mesh.vertices - mesh.vertices[:, 2:] / KEY[2] * KEY
        window = self._window(camera, np.concatenate([mesh.vertices, fallen]))
        color, depth, base = self._draw_gym(camera, window)
        color = color * (1 - _SHADOW_DEPTH * self._shadow(camera, window, fallen, mesh))[..., None]
        color = np.ascontiguousarray(color, dtype=np.float32)
        rasterize(camera, window, mesh.vertices, mesh.colors, mesh.triangles, color, depth)
        image = base.copy()
        size = (window.right - window.left, window.bottom - window.top)
        image[window.top : window.bottom, window.left : window.right] = cv2.resize(
            color, size, interpolation=cv2.INTER_AREA
        )
        return Frame(
            index,
            float(self.scene.motion.times[index]),
            self._develop(image, index),
            self._visible(index, camera, window, depth),
        )

    def _draw_gym(self, camera: Camera, window: Window) -> tuple[Image, Image, Image]:
        """Fine colour and depth of the empty gym in the window, and the whole image at its own size."""
        options = self.scene.options
        whole = Window(0, 0, options.width, options.height, _FINE)
        if self._backdrop is None or self._backdrop[0] is not camera:
            color, depth = self.gym.draw(camera, whole)
            self._backdrop = (camera, color, depth)
            small = cv2.resize(color, (options.width, options.height), interpolation=cv2.INTER_AREA)
            self._base: Image = np.asarray(small, np.float32)
        _, color, depth = self._backdrop
        rows = slice(window.top * _FINE, window.bottom * _FINE)
        columns = slice(window.left * _FINE, window.right * _FINE)
        return color[rows, columns], depth[rows, columns].copy(), self._base

    def _window(self, camera: Camera, points: Array) -> Window:
        """The part of the image that the climber and the climber's shadow touch."""
        options = self.scene.options
        pixels = camera.project(points)
        margin = 24
        left, top = np.clip(np.floor(pixels.min(axis=0)) - margin, 0, [options.width - 8, options.height - 8])
        right, bottom = np.clip(np.ceil(pixels.max(axis=0)) + margin, [8, 8], [options.width, options.height])
        return Window(int(left), int(top), max(int(right), int(left) + 8), max(int(bottom), int(top) + 8), _FINE)

    def _shadow(self, camera: Camera, window: Window, fallen: Array, mesh: Mesh) -> Image:
        """(h, w) 0 to 1: the climber's shadow on the wall, soft as a large lamp's is."""
        low = 2  # image pixels to one shadow pixel
        shape = (max((window.bottom - window.top) // low, 1), max((window.right - window.left) // low, 1))
        mask = np.zeros(shape, np.uint8)
        points = (camera.project(fallen) - [window.left, window.top]) / low
        corners = np.round(points[mesh.triangles] * 16).astype(np.int32)
        a, b, c = corners[:, 0].astype(np.int64), corners[:, 1].astype(np.int64), corners[:, 2].astype(np.int64)
        area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
        for triangle in corners[area > 0]:
            cv2.fillConvexPoly(mask, triangle, 255, shift=4)
        blur = 0.030 * camera.intrinsics[0, 0] / camera.translation[2] / low
        soft = cv2.GaussianBlur(mask, (0, 0), max(blur, 0.5))
        fine = cv2.resize(soft, window.shape[::-1], interpolation=cv2.INTER_LINEAR)
        return np.asarray(fine, np.float32) / np.float32(255)

    def _develop(self, image: Image, index: int) -> NDArray[np.uint8]:
        """Linear light to 8 bits as a phone does it: vignette, tone curve, noise."""
        x, y = (index * 29) % 64, (index * 47) % 64
        noise = self._noise[y : y + image.shape[0], x : x + image.shape[1]]
        toned = np.clip(image * self._vignette, 0, 1)
        toned = toned * (1.22 - 0.22 * toned)
        return np.asarray(np.clip(toned * 255 + noise, 0, 255), dtype=np.uint8)

    def _visible(self, index: int, camera: Camera, window: Window, depth: Image) -> NDArray[np.bool_]:
        """Landmarks lie inside the body: one is visible if what hides it is no farther off than its own flesh."""
        landmarks = self.scene.motion.landmarks[index]
        flesh = _flesh(proportions(self.scene.options.body).girth)
        pixels = camera.project(landmarks)
        depths = camera.to_camera(landmarks)[:, 2]
        seen = np.zeros(33, dtype=bool)
        for landmark, ((x, y), far) in enumerate(zip(pixels, depths, strict=True)):
            column, row = int((x - window.left) * _FINE), int((y - window.top) * _FINE)
            if 0 <= column < depth.shape[1] and 0 <= row < depth.shape[0]:
                nearest = float(depth[row, column])
                seen[landmark] = nearest == FAR or far - nearest < flesh[landmark]
        return seen


def _flesh(girth: float) -> Array:
    """(33,) metres from a landmark to the skin or cloth before it that still counts as itself."""
    depth = np.full(33, 0.03)
    for name, metres in (
        ("shoulder", 0.13), ("hip", 0.17), ("elbow", 0.07), ("knee", 0.10), ("wrist", 0.05), ("ankle", 0.08),
        ("heel", 0.06), ("foot_index", 0.06), ("pinky", 0.035), ("index", 0.035), ("thumb", 0.035), ("ear", 0.03),
    ):  # fmt: skip
        for side in ("left", "right"):
            depth[INDEX[f"{side}_{name}"]] = metres * girth
    return depth
