"""Regions cut out of frames on the device where the networks run, so that of a frame only what was decoded goes there.

The same as ``Roi.crop``, which OpenCV does faster on a CPU: to within the sixty-fourths of a pixel that it rounds to.
"""

from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from ascension_vision.pose.roi import Roi, View
from ascension_vision.video.picture import Picture

# What U and V are where there is no colour.
_GREY = 128.0


class Cutter:
    """Cuts on one device. A picture is sent there when a region of it is first cut, and forgotten with the picture."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._sent: WeakKeyDictionary[Picture, list[Tensor]] = WeakKeyDictionary()

    def cut(self, images: Sequence[View], rois: Sequence[Roi], size: int, repeat: bool) -> Tensor:
        """``(n, 3, size, size)`` float32 of whole numbers 0 … 255, RGB.

        ``images``: all pictures of one size, or arrays. Beyond the frame lies its edge if ``repeat``, else black.
        """
        if all(isinstance(image, Picture) for image in images):
            pictures = [image for image in images if isinstance(image, Picture)]
            return self._cut_pictures(pictures, [roi.matrix(size) for roi in rois], size, repeat)
        return torch.cat([self._cut_array(*one, size, repeat) for one in zip(images, rois, strict=True)])

    def _cut_pictures(
        self, pictures: Sequence[Picture], matrices: list[npt.NDArray[np.float64]], size: int, repeat: bool
    ) -> Tensor:
        planes = (torch.stack(of_all) for of_all in zip(*map(self._planes, pictures), strict=True))
        fine = self._there(np.stack(matrices))
        coarse = self._there(np.stack([Picture.in_colour(matrix) for matrix in matrices]))
        beyond = (None, None, None) if repeat else (0.0, _GREY, _GREY)
        yuv = torch.stack(
            [
                _sampled(plane, where, size, outside)
                for plane, where, outside in zip(planes, (fine, coarse, coarse), beyond, strict=True)
            ],
            dim=1,
        )
        mix = self._there(np.stack([picture.matrix for picture in pictures]))
        rgb = torch.einsum("nij,njrc->nirc", mix[:, :, :3], yuv) + mix[:, :, 3, None, None]
        return rgb.round().clamp(0, 255)

    def _cut_array(self, image: View, roi: Roi, size: int, repeat: bool) -> Tensor:
        pixels = image.rgb if isinstance(image, Picture) else image
        planes = self._plane(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
        where = self._there(roi.matrix(size)[None]).expand(3, 2, 3)
        return _sampled(planes, where, size, None if repeat else 0.0)[None]

    def _planes(self, picture: Picture) -> list[Tensor]:
        if picture not in self._sent:
            self._sent[picture] = [self._plane(plane) for plane in picture.planes]
        return self._sent[picture]

    def _plane(self, plane: npt.NDArray[np.uint8]) -> Tensor:
        # Not to wait for what the device has still to do: CUDA has taken the bytes when this returns.
        return torch.from_numpy(plane).to(self._device, non_blocking=True).float()

    def _there(self, values: npt.NDArray[np.float64]) -> Tensor:
        return torch.from_numpy(values.astype(np.float32)).to(self._device, non_blocking=True)


def _sampled(planes: Tensor, where: Tensor, size: int, beyond: float | None) -> Tensor:
    """``(n, size, size)`` float32, whole numbers: what lies between the pixels of ``planes`` ``(n, rows, columns)``.

    ``where`` ``(n, 2, 3)``: what ``(x, y, 1)`` of the result shows. ``beyond``: the value outside, None for the edge's.
    """
    rows, columns = planes.shape[1:]
    steps = torch.arange(size, device=planes.device, dtype=torch.float32)
    across, down, start = where[:, None, None].unbind(dim=-1)
    places = across * steps[:, None] + down * steps[:, None, None] + start
    # grid_sample has the first pixel's middle at -1 and the last one's at 1.
    grid = torch.stack([places[..., 0] * (2 / (columns - 1)) - 1, places[..., 1] * (2 / (rows - 1)) - 1], dim=-1)
    level = beyond or 0.0
    edge = "border" if beyond is None else "zeros"
    found = functional.grid_sample(planes[:, None] - level, grid, "bilinear", edge, align_corners=True)
    return (found[:, 0] + level).round()
