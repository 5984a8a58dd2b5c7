"""Convolutions on a CPU that have their activation within, as ``torch.compile`` would make them, without a compiler.

What comes out of a convolution is large; to bound it in a pass of its own takes as long as to compute it (oneDNN).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

_KNOWN = bool(torch._C._has_mkldnn) and hasattr(torch.ops.mkldnn, "_convolution_pointwise")
_THEN: dict[str | None, tuple[str, list[float]]] = {
    "relu6": ("hardtanh", [0.0, 6.0]),
    "relu": ("relu", []),
    None: ("none", []),
}


def usable(x: Tensor) -> bool:
    """Whether ``convolution`` takes this input. Nothing can be learnt through it."""
    return _KNOWN and x.device.type == "cpu" and x.dtype in (torch.float32, torch.bfloat16)


def packed(weight: Tensor, stride: Sequence[int], padding: Sequence[int], groups: int, shape: Sequence[int]) -> Tensor:
    """The weights in the order that is best for inputs of that shape: saves a quarter where pictures are small."""
    ordered: Tensor = torch.ops.mkldnn._reorder_convolution_weight(
        weight, list(padding), list(stride), [1, 1], groups, list(shape)
    )
    return ordered


def convolution(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sequence[int],
    padding: Sequence[int],
    groups: int,
    activation: str | None,
) -> Tensor:
    """``x`` ``(n, channels, rows, columns)``, channels last; ``weight`` as it is or ``packed``, of the type of ``x``;
    ``activation``: relu6, relu or None."""
    found: Tensor = torch.ops.mkldnn._convolution_pointwise(
        x, weight, bias, list(padding), list(stride), [1, 1], groups, *_THEN[activation], ""
    )
    return found
