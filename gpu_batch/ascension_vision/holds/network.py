"""The detector's network: backbone, feature pyramid, and one head that reads all levels.

Every place of every level says how likely a hold or a volume is centred there, times how well its box will fit, and
the distances from the place to the box's four sides. No anchors: Z. Tian et al. 2019, "FCOS"; the class score that
carries the box's quality: X. Li et al. 2020, "Generalized Focal Loss".
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from ascension_vision.holds.backbone import CHANNELS, Backbone
from ascension_vision.holds.hold import Kind

STRIDES = (8, 16, 32, 64)
COARSEST = STRIDES[-1]
KINDS: tuple[Kind, ...] = ("hold", "volume")
WIDTH = 96
_GROUPS = 12
# A fresh network expects one object among a hundred places.
_PRIOR = -4.6
# … and boxes about this many strides from the place to each side.
_REACH = 2.0


class Smooth(nn.Module):
    """A 3×3 convolution, normalised over groups of channels of one picture: small batches train as well as large."""

    def __init__(self, stride: int = 1, inputs: int = WIDTH) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, WIDTH, 3, stride, padding=1, bias=False)
        self.norm = nn.GroupNorm(_GROUPS, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.norm(self.convolution(x)))


class HoldNetwork(nn.Module):
    """Pictures ``(n, 3, rows, columns)``, RGB 0…255, sides divisible by 64 → logits and boxes of all places.

    ``forward`` returns ``(n, places, 2)`` logits of ``KINDS`` and ``(n, places, 4)`` boxes x0, y0, x1, y1 in pixels;
    the places' middles and strides are ``places(rows, columns)``, in the same order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.backbone = Backbone()
        self.across = nn.ModuleList(nn.Conv2d(channels, WIDTH, 1) for channels in CHANNELS)
        self.smooth = nn.ModuleList(Smooth() for _ in CHANNELS)
        self.coarser = Smooth(2)
        self.kind_tower = nn.Sequential(Smooth(), Smooth())
        self.box_tower = nn.Sequential(Smooth(), Smooth())
        self.kind = nn.Conv2d(WIDTH, len(KINDS), 3, padding=1)
        self.box = nn.Conv2d(WIDTH, 4, 3, padding=1)
        self.scales = nn.Parameter(torch.ones(len(STRIDES)))
        nn.init.normal_(self.kind.weight, std=0.01)
        nn.init.constant_(self.kind.bias, _PRIOR)  # type: ignore[arg-type]
        nn.init.normal_(self.box.weight, std=0.01)
        nn.init.zeros_(self.box.bias)  # type: ignore[arg-type]

    def pyramid(self, pictures: Tensor) -> list[Tensor]:
        """Features ``(n, WIDTH, rows / stride, columns / stride)`` at each of ``STRIDES``."""
        levels = [across(x) for across, x in zip(self.across, self.backbone(pictures), strict=True)]
        for i in (1, 0):
            levels[i] = levels[i] + functional.interpolate(levels[i + 1], size=levels[i].shape[2:], mode="nearest")
        levels = [smooth(level) for smooth, level in zip(self.smooth, levels, strict=True)]
        return [*levels, self.coarser(levels[-1])]

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        return self.read(self.pyramid(pictures))

    def read(self, levels: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Logits and boxes, see the class, from a pyramid's levels."""
        logits, boxes = [], []
        for level, stride, scale in zip(levels, STRIDES, self.scales, strict=True):
            logits.append(self.kind(self.kind_tower(level)).flatten(2).transpose(1, 2))
            reach = (self.box(self.box_tower(level)).float() * scale).clamp(-6, 6).exp() * (_REACH * stride)
            sides = reach.flatten(2).transpose(1, 2)
            middle = _middles(level.shape[2], level.shape[3], stride, sides)
            boxes.append(torch.cat([middle - sides[..., :2], middle + sides[..., 2:]], dim=-1))
        return torch.cat(logits, dim=1).float(), torch.cat(boxes, dim=1)


def _middles(rows: int, columns: int, stride: int, like: Tensor) -> Tensor:
    y, x = torch.meshgrid(
        torch.arange(rows, device=like.device, dtype=like.dtype),
        torch.arange(columns, device=like.device, dtype=like.dtype),
        indexing="ij",
    )
    return (torch.stack([x, y], dim=-1).reshape(-1, 2) + 0.5) * stride


def places(rows: int, columns: int) -> tuple[Tensor, Tensor]:
    """Middles ``(places, 2)`` x, y in pixels and strides ``(places,)`` for pictures of that size."""
    like = torch.zeros(1)
    middles = [_middles(-(-rows // stride), -(-columns // stride), stride, like) for stride in STRIDES]
    strides = [torch.full((len(m),), float(s)) for m, s in zip(middles, STRIDES, strict=True)]
    return torch.cat(middles), torch.cat(strides)
