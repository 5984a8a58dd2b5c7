"""What a hold is good for, as far as its looks tell: a small head on the detector's features.

It has learnt from rendered holds only, for nobody has labelled real ones for us. It therefore answers only where it is
sure, and where what it sees lies among what it has learnt from; see docs/holds.md.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ascension_vision.holds.boxes import Array
from ascension_vision.holds.hold import TYPES, UNKNOWN
from ascension_vision.holds.looking import Features
from ascension_vision.holds.network import STRIDES, WIDTH

# Volumes are told by the detector, which has seen real ones.
NAMES = tuple(name for name in TYPES if name != "volume")
# Features are read at so many by so many places of a box, a little more than the hold.
_GRID, _LARGER = 5, 1.15
# Holds larger than this in the network's pixels are read from the next coarser level.
_FINE_UP_TO = 96.0
_HIDDEN = 64
INPUTS = WIDTH * _GRID * _GRID + 2


@dataclass(frozen=True)
class Guess:
    """A type, and how often a type said so surely is right on rendered holds; ``UNKNOWN`` and None where unsure."""

    type: str
    confidence: float | None


class TypeHead(nn.Module):
    """Samples ``(n, INPUTS)`` → logits ``(n, len(NAMES))``, with what is needed to make confidences of them."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(INPUTS, _HIDDEN)
        self.outer = nn.Linear(_HIDDEN, len(NAMES))
        for name, value in (
            ("temperature", torch.ones(1)),
            ("least", torch.tensor([0.6])),
            ("mean", torch.zeros(len(NAMES), _HIDDEN)),
            ("spread", torch.ones(_HIDDEN)),
            ("farthest", torch.tensor([1e4])),
        ):
            self.register_buffer(name, value)
        self.temperature: Tensor
        self.least: Tensor
        self.mean: Tensor
        self.spread: Tensor
        self.farthest: Tensor

    def hidden(self, samples: Tensor) -> Tensor:
        """``(n, hidden)``."""
        return functional.relu(self.inner(samples))

    def forward(self, samples: Tensor) -> Tensor:
        return self.outer(self.hidden(samples))  # type: ignore[no-any-return]

    def strangeness(self, hidden: Tensor) -> Tensor:
        """``(n,)`` how far each lies from the nearest type's mean, in standard deviations, root mean square."""
        away = (hidden[:, None] - self.mean) / self.spread
        return away.square().mean(-1).sqrt().amin(1)

    @torch.inference_mode()
    def guess(self, samples: Tensor) -> list[Guess]:
        """What each sample is."""
        hidden = self.hidden(samples)
        chances = (self.outer(hidden) / self.temperature).softmax(-1)
        best, which = chances.max(-1)
        sure = (best >= self.least) & (self.strangeness(hidden) <= self.farthest)
        return [
            Guess(NAMES[number], float(chance)) if said else Guess(UNKNOWN, None)
            for chance, number, said in zip(best.tolist(), which.tolist(), sure.tolist(), strict=True)
        ]


@torch.inference_mode()
def samples(features: Features, boxes: Array) -> Tensor:
    """``(n, INPUTS)`` what the network sees in boxes ``(n, 4)`` of the picture's pixels, and each one's shape and size.

    Size is relative to the middle one of the picture's holds: metres are not known yet.
    """
    device = features.levels[0].device
    scaled = boxes / np.tile(features.ratio, 2)
    middle, size = (scaled[:, :2] + scaled[:, 2:]) / 2, np.maximum(scaled[:, 2:] - scaled[:, :2], 1)
    steps = (np.arange(_GRID) + 0.5) / _GRID - 0.5
    grid = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2) * _LARGER
    points = middle[:, None] + size[:, None] * grid[None]  # (n, places, 2)
    level = (size.max(axis=1) > _FINE_UP_TO).astype(int)
    read = torch.zeros(len(boxes), WIDTH * _GRID * _GRID, device=device)
    for number in (0, 1):
        mine = np.nonzero(level == number)[0]
        if not len(mine):
            continue
        plane = features.levels[number].float()
        extent = np.array([plane.shape[3], plane.shape[2]]) * STRIDES[number]
        where = torch.from_numpy(points[mine] / extent * 2 - 1).float().to(device)
        values = functional.grid_sample(plane, where[None], align_corners=False)  # (1, channels, n, places)
        read[torch.from_numpy(mine)] = values[0].permute(1, 0, 2).reshape(len(mine), -1)
    area = np.sqrt(size.prod(axis=1))
    shape = np.column_stack([np.log(size[:, 0] / size[:, 1]), np.log(area / np.median(area))]) if len(boxes) else None
    extra = torch.from_numpy(shape if shape is not None else np.zeros((0, 2))).float().to(device)
    return torch.cat([read, extra], dim=1)
