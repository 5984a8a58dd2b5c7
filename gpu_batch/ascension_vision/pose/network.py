"""Run a converted network in PyTorch: the same code on CPU and CUDA, in float32 or half precision, for any batch."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from ascension_vision import fused
from ascension_vision.pose.weights import read_metadata


class Network(nn.Module):
    """A graph from ``pose.tflite`` with its weights.

    Called with images ``(batch, 3, rows, columns)``, it returns its outputs in the order of the graph. Activations are
    kept channels-last: these networks are mostly 1×1 and depthwise convolutions, which are about twice as fast so.
    """

    def __init__(self, graph: dict[str, Any], weights: dict[str, Tensor]) -> None:
        super().__init__()
        self._input: int = graph["input"]
        self._outputs: list[int] = graph["outputs"]
        self._operations: list[dict[str, Any]] = graph["operations"]
        for name, value in weights.items():
            tensor = value.contiguous(memory_format=torch.channels_last) if value.ndim == 4 else value
            self.register_buffer(_attribute(name), tensor)
        self._types = [torch.float32] * len(self._operations)
        self._packed: dict[tuple[str, torch.Size], Tensor] = {}
        self._last_use = {tensor: i for i, op in enumerate(self._operations) for tensor in op["inputs"]}
        self._last_use.update(dict.fromkeys(self._outputs, len(self._operations)))

    @classmethod
    def load(cls, path: Path) -> "Network":
        """Read a file made by ``pose.weights``."""
        return cls(json.loads(read_metadata(path)["graph"]), load_file(path)).eval()

    def halve(self, first: int, maps: Sequence[int]) -> "Network":
        """Compute in half precision from now on, but the ``first`` operations and those that none of the outputs
        ``maps`` depends on; their outputs stay float32."""
        needed = {self._outputs[output] for output in maps}
        for index in reversed(range(len(self._operations))):
            operation = self._operations[index]
            if operation["output"] not in needed:
                continue
            needed.update(operation["inputs"])
            if index >= first:
                self._types[index] = torch.float16
                for name in (operation[part] for part in ("weight", "bias") if part in operation):
                    setattr(self, _attribute(name), getattr(self, _attribute(name)).half())
        return self

    def forward(self, images: Tensor) -> list[Tensor]:
        values = {self._input: images.contiguous(memory_format=torch.channels_last)}
        for index, operation in enumerate(self._operations):
            inputs = [values[tensor].to(self._types[index]) for tensor in operation["inputs"]]
            values[operation["output"]] = self._compute(operation, inputs)
            for tensor in operation["inputs"]:
                if self._last_use[tensor] == index:
                    values.pop(tensor, None)
        return [values[tensor] for tensor in self._outputs]

    def _compute(self, operation: dict[str, Any], inputs: list[Tensor]) -> Tensor:
        kind, x = operation["kind"], inputs[0]
        if kind == "convolution":
            return self._convolve(operation, x)
        if kind == "add":
            return _activate(inputs[0] + inputs[1], operation["activation"])
        if kind == "resize_bilinear":
            return functional.interpolate(x, size=operation["size"], mode="bilinear", align_corners=False)
        if kind == "max_pool_2d":
            return functional.max_pool2d(x, operation["size"])
        if kind == "depth_to_space":
            return _depth_to_space(x, operation["block"])
        if kind == "reshape":
            # The shape was meant for channels-last data.
            flat = x.permute(0, 2, 3, 1) if x.ndim == 4 else x
            return flat.reshape(x.shape[0], *operation["shape"])
        if kind == "concatenation":
            return torch.cat(inputs, dim=1)
        if kind == "logistic":
            return torch.sigmoid(x)
        raise ValueError(f"unknown operation {kind}")

    def _convolve(self, operation: dict[str, Any], x: Tensor) -> Tensor:
        left, right, top, bottom = operation["padding"]
        padding = [top, left]
        if (left, top) != (right, bottom):
            x, padding = functional.pad(x, (left, right, top, bottom)), [0, 0]
        stride, groups, name = list(operation["stride"]), operation["groups"], _attribute(operation["weight"])
        weight, bias = getattr(self, name), getattr(self, _attribute(operation["bias"]))
        if not fused.usable(x):
            x = functional.conv2d(x, weight, bias, stride, padding, groups=groups)
            return _activate(x, operation["activation"])
        key = (name, x.shape)
        if key not in self._packed:
            self._packed[key] = fused.packed(weight, stride, padding, groups, x.shape)
        return fused.convolution(x, self._packed[key], bias, stride, padding, groups, operation["activation"])


def _attribute(name: str) -> str:
    # Module attributes may not contain dots.
    return "_" + name.replace(".", "_")


def _activate(x: Tensor, activation: str | None) -> Tensor:
    if activation == "relu":
        return x.relu_()
    if activation == "relu6":
        return functional.relu6(x, inplace=True)
    return x


def _depth_to_space(x: Tensor, block: int) -> Tensor:
    """TensorFlow's order: the channels are (row in block, column in block, output channel)."""
    batch, channels, rows, columns = x.shape
    depth = channels // (block * block)
    x = x.reshape(batch, block, block, depth, rows, columns).permute(0, 3, 4, 1, 5, 2)
    x = x.reshape(batch, depth, rows * block, columns * block)
    return x.contiguous(memory_format=torch.channels_last)
