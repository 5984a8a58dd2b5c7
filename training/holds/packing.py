"""Makes of a finished run the file that ships: half precision, with what must be said about it in its header."""

import json
from dataclasses import asdict
from pathlib import Path

import torch
from ascension_vision.holds.finding import SCHEMA, Trust
from ascension_vision.holds.network import HoldNetwork
from ascension_vision.holds.types import TypeHead
from safetensors.torch import save_file
from torch import Tensor

CREDIT = (
    "Trained on 'Climbing Holds and Volumes' v14 by blackcreed-xpgxh, https://universe.roboflow.com/blackcreed-xpgxh/"
    "climbing-holds-and-volumes, CC BY 4.0. Backbone started from Google's EfficientNet-Lite0 weights, Apache-2.0."
)


def pack(network: HoldNetwork, types: TypeHead, trust: Trust, name: str, data: str, path: Path) -> None:
    """Write ``path``. ``data``: the digest of the photos that were learnt from."""
    tensors: dict[str, Tensor] = {}
    for prefix, module in (("network.", network), ("types.", types)):
        for key, tensor in module.state_dict().items():
            tensors[prefix + key] = tensor.detach().to(torch.float16).contiguous()
    metadata = {
        "schema": SCHEMA, "name": name, "credit": CREDIT, "data_sha256": data, "trust": json.dumps(asdict(trust)),
    }  # fmt: skip
    save_file(tensors, path, metadata=metadata)
    path.chmod(0o644)
