"""Triangles to pixels, with OpenCV's software rasteriser."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ascension_vision.scene.body import Array
from ascension_vision.scene.camera import Camera

Image = NDArray[np.float32]
FAR = 60.0
_NEAR = 0.05


@dataclass(frozen=True)
class Window:
    """A rectangle of the image, drawn ``scale`` times finer; edges in whole image pixels."""

    left: int
    top: int
    right: int
    bottom: int
    scale: int

    @property
    def shape(self) -> tuple[int, int]:
        return (self.bottom - self.top) * self.scale, (self.right - self.left) * self.scale


def rasterize(
    camera: Camera, window: Window, vertices: Array, colors: Array, triangles: NDArray[np.int32],
    color: Image, depth: Image,
) -> None:  # fmt: skip
    """Draw triangles in place into ``color`` (h, w, 3) and ``depth`` (h, w, metres before the camera; FAR where empty).

    Colours, 0 to 1, are given per vertex and interpolated. Triangles are seen from their counter-clockwise side only.
    """
    seen = camera.to_camera(vertices)
    focal = camera.intrinsics[0, 0]
    # OpenCV's rasteriser has its principal point in the middle: shear the scene so that the window's middle is there.
    shift_x = (camera.intrinsics[0, 2] - (window.left + window.right) / 2) / focal
    shift_y = (camera.intrinsics[1, 2] - (window.top + window.bottom) / 2) / focal
    z = seen[:, 2]
    points = np.stack([seen[:, 0] + shift_x * z, -(seen[:, 1] + shift_y * z), -z], axis=1).astype(np.float32)
    settings = cv2.TriangleRasterizeSettings()
    settings.setShadingType(cv2.RASTERIZE_SHADING_SHADED)
    settings.setCullingMode(cv2.RASTERIZE_CULLING_CW)
    field_of_view = 2 * np.arctan((window.bottom - window.top) / 2 / focal)
    cv2.triangleRasterize(
        points, triangles, np.ascontiguousarray(np.clip(colors, 0, 1), dtype=np.float32), color, depth,
        np.eye(4, dtype=np.float32), field_of_view, _NEAR, FAR, settings,
    )  # fmt: skip


def planes_depth(camera: Camera, window: Window, planes: Sequence[tuple[Array, Array]]) -> Image:
    """(h, w) depth in metres of the nearest of some wall-frame planes (origin, normal); FAR where there is none."""
    xs = (window.left + (np.arange(window.shape[1]) + 0.5) / window.scale).astype(np.float32)
    ys = (window.top + (np.arange(window.shape[0]) + 0.5) / window.scale).astype(np.float32)
    nearness = np.full(window.shape, 1 / FAR, np.float32)  # 1 / depth is linear in the image
    for origin, normal in planes:
        facing = camera.rotation @ normal
        ray = np.linalg.inv(camera.intrinsics).T @ facing / float(facing @ camera.to_camera(origin))
        np.maximum(nearness, np.float32(ray[0]) * xs[None, :] + (np.float32(ray[1]) * ys + np.float32(ray[2]))[:, None],
                   out=nearness)  # fmt: skip
    return np.divide(1, nearness, out=nearness)


def paint_plane(
    texture: NDArray[np.uint8] | Image, to_image: Array, window: Window, picture: NDArray[np.uint8] | Image
) -> None:
    """Draw a texture, whose pixels map to the image by ``to_image`` (3, 3), into the window's ``picture`` in place."""
    zoom = np.array(
        [[window.scale, 0, -window.left * window.scale], [0, window.scale, -window.top * window.scale], [0, 0, 1.0]]
    )
    # cv2 counts pixels from their centres, everything here from their corners
    half = np.array([[1.0, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    matrix = np.linalg.inv(half) @ zoom @ to_image @ half
    height, width = window.shape
    cv2.warpPerspective(texture, matrix, (width, height), picture, cv2.INTER_LINEAR, cv2.BORDER_TRANSPARENT)
