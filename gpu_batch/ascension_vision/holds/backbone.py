"""EfficientNet-Lite0's features: what a network that learnt ImageNet sees in a picture, at five scales.

M. Tan, Q. Le 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks"; the Lite variants have
ReLU6 and no squeeze-and-excitation. The layout follows Google's published one (Apache-2.0), written anew; each batch
norm is folded into the convolution before it, so that a layer is a convolution with a bias.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from ascension_vision import fused

# Kernel, stride, expansion, channels of each block, in order.
_STAGES = (
    (3, 1, 1, 16, 1), (3, 2, 6, 24, 2), (5, 2, 6, 40, 2), (3, 2, 6, 80, 3), (5, 1, 6, 112, 3), (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)  # fmt: skip
STEM = 32
# Pixels come in as 0…255; the network wants them about 0.
MEAN, DEVIATION = 127.0, 128.0
# Channels of the features at strides 8, 16 and 32, and the block each comes from.
CHANNELS = (40, 112, 320)
_TAKEN = (4, 10, 15)
# The blocks up to stride 4, and the strips of a picture that they are given at once: rows, and so many more around them
# as one place of their features depends on.
_FINE, _STRIP, _MARGIN = 3, 128, 16


class Convolution(nn.Conv2d):
    """A convolution with a bias that pads as TensorFlow does: at stride 2 one pixel more at the right and below.

    ``bounded``: ReLU6 comes after it.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, bounded: bool = True
    ) -> None:
        around = (kernel - 1) // 2 if stride == 1 else 0
        super().__init__(inputs, outputs, kernel, stride, padding=around, groups=groups)
        self._bounded = bounded
        self._before, self._after = (kernel - stride) // 2, (kernel - stride + 1) // 2

    def forward(self, input: Tensor) -> Tensor:
        if self.stride[0] > 1:
            input = functional.pad(input, (self._before, self._after, self._before, self._after))
        if fused.usable(input) and torch.is_inference_mode_enabled():
            return self._fused(input)
        found = super().forward(input)
        return functional.relu6(found, inplace=not torch.is_grad_enabled()) if self._bounded else found

    def _fused(self, x: Tensor) -> Tensor:
        kind = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype
        assert self.bias is not None
        return fused.convolution(
            x.to(kind), self.weight.to(kind), self.bias.to(kind), self.stride, _pair(self.padding), self.groups,
            "relu6" if self._bounded else None,
        )  # fmt: skip


def _pair(padding: str | tuple[int, ...]) -> tuple[int, ...]:
    assert not isinstance(padding, str)
    return padding


class Block(nn.Module):
    """An inverted residual: widen, look around in each channel by itself, narrow."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = inputs * expansion
        self.expand = Convolution(inputs, inner, 1) if expansion > 1 else None
        self.around = Convolution(inner, inner, kernel, stride, groups=inner)
        self.project = Convolution(inner, outputs, 1, bounded=False)
        self._residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        wide = x if self.expand is None else self.expand(x)
        y: Tensor = self.project(self.around(wide))
        return x + y if self._residual else y


class Backbone(nn.Module):
    """Pictures ``(n, 3, rows, columns)``, RGB 0…255, sides divisible by 32 → features at strides 8, 16 and 32."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Convolution(3, STEM, 3, 2)
        blocks: list[Block] = []
        channels = STEM
        for kernel, stride, expansion, outputs, repeats in _STAGES:
            for i in range(repeats):
                blocks.append(Block(channels, outputs, kernel, stride if i == 0 else 1, expansion))
                channels = outputs
        self.blocks = nn.ModuleList(blocks)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        x = self._fine(pictures)
        features = []
        for i, block in enumerate(self.blocks[_FINE:], _FINE):
            x = block(x)
            if i in _TAKEN:
                features.append(x)
        return features

    def _fine(self, pictures: Tensor) -> Tensor:
        """What the first blocks make of the pictures, at stride 4.

        What lies between them is larger by far than all else. Each place depends on few rows, so that strips give the
        same, and on a CPU what is between stays in its cache.
        """
        rows = pictures.shape[2]
        height = _STRIP if fused.usable(pictures) and torch.is_inference_mode_enabled() else rows
        strips = []
        for top in range(0, rows, height):
            first, end = max(0, top - _MARGIN), min(rows, top + height)
            x = self.stem((pictures[:, :, first : end + _MARGIN] - MEAN) / DEVIATION)
            for block in self.blocks[:_FINE]:
                x = block(x)
            strips.append(x[:, :, (top - first) // 4 : (end - first) // 4])
        return torch.cat(strips, dim=2) if len(strips) > 1 else strips[0]
