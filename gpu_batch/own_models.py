"""Enterprise accounts' own networks: fetched once, looked at again, and never a reason to run what is in them.

The API has looked at a file's header before (``ascension.models``); what it let through names its content by etag, and
only that content is used. Files are read as safetensors, which hold numbers and nothing that could be executed.
"""

import json
import logging
import math
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ascension_vision.problems import Problem
from botocore.exceptions import ClientError

log = logging.getLogger("worker")

# In memory, of 200 MB at most.
KEPT = 4
# What a ViTPose's configuration may say, and how much of it; everything else is left out of what transformers reads.
_BACKBONE = (
    "hidden_size", "num_hidden_layers", "num_attention_heads", "mlp_ratio", "hidden_act", "image_size", "patch_size",
    "num_channels", "num_experts", "part_features", "qkv_bias", "layer_norm_eps",
)  # fmt: skip
_HEAD = ("scale_factor", "use_simple_decoder", "id2label")
_LARGEST = 16_384
_MOST_LAYERS = 64


class OwnModels:
    """The networks that this process has fetched, the last few used. Several analyses may ask at once."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3, self._bucket = s3, bucket
        self._loaded: OrderedDict[tuple[str, str], Any] = OrderedDict()
        self._fetching = threading.Lock()

    def of(self, work: Mapping[str, Any]) -> dict[str, Any]:
        """The models that a piece of work is to be done with, as ``analyze`` takes them: ``pose``, ``holds``.

        Raises:
            Problem: ``own-model-unusable``.
        """
        wanted = work.get("models") or {}
        options = work.get("options") or {}
        loaders: dict[str, Callable[[Path], Any]] = {"pose": pose_model}
        if options.get("detect_holds", True):
            loaders["holds"] = hold_model
        with self._fetching:
            return {kind: self._model(kind, wanted[kind], load) for kind, load in loaders.items() if kind in wanted}

    def _model(self, kind: str, told: Mapping[str, str], load: Callable[[Path], Any]) -> Any:
        """``told``: the model's id, its key in the bucket, and the etag of the content that was validated."""
        name = (kind, told["etag"])
        if name in self._loaded:
            self._loaded.move_to_end(name)
            return self._loaded[name]
        with tempfile.TemporaryDirectory(prefix="ascension-model-") as folder:
            file = self._fetched(kind, told, Path(folder))
            try:
                model = load(file)
            except ImportError:
                raise
            except Exception as error:
                # Whatever a stranger's file makes the libraries stumble over, it is the file.
                log.info("own model %s cannot be used", told["id"], exc_info=True)
                raise _unusable(kind, _reason(error)) from error
        self._loaded[name] = model
        while len(self._loaded) > KEPT:
            self._loaded.popitem(last=False)
        return model

    def _fetched(self, kind: str, told: Mapping[str, str], folder: Path) -> Path:
        file = folder / f"{told['id']}.safetensors"
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=told["key"], IfMatch=told["etag"])
            with file.open("wb") as target:
                for chunk in answer["Body"].iter_chunks(1024 * 1024):
                    target.write(chunk)
        except ClientError as error:
            # Who may not list a bucket is answered 403 for what is not there.
            if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (403, 404, 412):
                raise
            raise _unusable(kind, "it was replaced or removed while the analysis waited") from error
        return file


class _Refused(Exception):
    """The message says why, as the middle of a sentence."""


def hold_model(file: Path) -> Any:
    """The built-in hold detector's network with other weights."""
    import numpy as np
    from ascension_vision.analysis import choose_device
    from ascension_vision.holds.finding import HoldModel

    _check_numbers(file)
    model = HoldModel(weights=file, device=choose_device())
    # What the file calls itself may be anything, the built-in one's name too.
    model.name = f"holds from {file.stem}"
    model.find(np.full((256, 256, 3), 128, np.uint8))
    return model


def pose_model(file: Path) -> Any:
    """A ViTPose in one file: transformers' tensors, with its config.json in the header's metadata as ``config``."""
    import numpy as np
    from ascension_vision.analysis import vitpose
    from ascension_vision.pose.roi import Roi

    _check_numbers(file)
    # The folder's name is what the result says of the model.
    folder = file.parent / file.stem
    folder.mkdir()
    file.rename(folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(_vitpose_configuration(folder / "model.safetensors")))
    model = vitpose(folder)
    # Once on a grey picture: what stumbles there would stumble over every video.
    seen = model.landmarks([np.full((256, 256, 3), 128, np.uint8)], [Roi(128, 128, 200)])
    if not all(np.isfinite(landmarks.points).all() for landmarks in seen):
        raise _Refused("it answers with what are no numbers")
    return model


def _check_numbers(file: Path) -> None:
    """Every number is one. Reads the file as safetensors and fails where it is none."""
    import torch
    from safetensors.torch import load_file

    for name, tensor in load_file(file).items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise _Refused(f"its tensor {name[:60]!r} holds what are no numbers")


def _vitpose_configuration(file: Path) -> dict[str, Any]:
    """What transformers may know of the configuration in the file's header, once tensors and configuration agree."""
    import torch
    import transformers
    from safetensors import safe_open

    with safe_open(file, "pt") as opened:
        told = json.loads((opened.metadata() or {})["config"])
        tensors = {name: tuple(opened.get_slice(name).get_shape()) for name in opened.keys()}  # noqa: SIM118
    if told.get("model_type") != "vitpose":
        raise _Refused("it is no ViTPose")
    told_backbone = told["backbone_config"]
    backbone = {name: told_backbone[name] for name in _BACKBONE if name in told_backbone}
    head = {name: told[name] for name in _HEAD if name in told}
    if backbone.get("num_hidden_layers", 0) > _MOST_LAYERS or not all(map(_sensible, _numbers(backbone | head))):
        raise _Refused("its configuration asks for more than a network of its size has")
    configuration = transformers.VitPoseConfig(backbone_config=transformers.VitPoseBackboneConfig(**backbone), **head)
    # Without memory for the numbers, only to see which there would be.
    with torch.device("meta"):
        expected = transformers.VitPoseForPoseEstimation(configuration).state_dict()
    if tensors != {name: tuple(tensor.shape) for name, tensor in expected.items()}:
        raise _Refused("its tensors are not those that its configuration describes")
    whole: dict[str, Any] = configuration.to_dict()
    return whole


def _numbers(value: Any) -> list[float]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        return [number for part in value for number in _numbers(part)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []


def _sensible(number: float) -> bool:
    return math.isfinite(number) and 0 <= number <= _LARGEST


def _reason(error: Exception) -> str:
    from ascension_vision.pose.model import ModelUnavailable

    if isinstance(error, _Refused):
        return str(error)
    if isinstance(error, ModelUnavailable) and "17" in str(error):
        return "it is no network of 17 key points in 192 × 256 pixels"
    return "its tensors are not those of such a network"


def _unusable(kind: str, why: str) -> Problem:
    return Problem(
        "own-model-unusable",
        "Your own model cannot be used",
        f"Your account's own {kind} model cannot be used: {why}. Please upload another, or remove it to analyse with "
        "the built-in one.",
    )
