"""An account's own networks in the worker: what was validated is used, anything else is a problem that says so."""

import importlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest
import torch
from ascension_vision.holds.finding import WEIGHTS
from ascension_vision.problems import Problem
from moto import mock_aws
from safetensors import safe_open
from safetensors.torch import load_file, save_file

transformers: Any = pytest.importorskip("transformers", reason="transformers is an optional package")

ROOT = Path(__file__).resolve().parents[2]
Put = Callable[..., dict[str, Any]]


def vitpose(**changes: Any) -> Any:
    """A tiny ViTPose at random."""
    small = {"image_size": [256, 192], "patch_size": [16, 16], "hidden_size": 16, "num_hidden_layers": 1}
    backbone = transformers.VitPoseBackboneConfig(**small, num_attention_heads=2)
    return transformers.VitPoseForPoseEstimation(
        transformers.VitPoseConfig(backbone_config=backbone, **{"num_labels": 17, **changes})
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that transformers makes of it."""
    folder = tmp_path_factory.mktemp("vitpose")
    torch.manual_seed(0)
    vitpose().save_pretrained(folder)
    return folder


def packed(saved: Path, path: Path, *, change: Callable[[dict[str, Any]], None] | None = None, **told: Any) -> bytes:
    """The folder as one file: the tensors, with the configuration in the header's metadata."""
    tensors = load_file(saved / "model.safetensors")
    configuration = {**json.loads((saved / "config.json").read_text()), **told}
    if change:
        change(tensors)
    save_file(tensors, path, metadata={"config": json.dumps(configuration)})
    return path.read_bytes()


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "gpu_batch")
    return importlib.import_module("own_models")


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="videos")
        yield client


@pytest.fixture
def put(s3: Any) -> Put:
    """Uploads a model, and gives the work that names it."""

    def upload(content: bytes, kind: str = "pose", **options: Any) -> dict[str, Any]:
        etag = s3.put_object(Bucket="videos", Key="models/m", Body=content)["ETag"]
        return {"options": options, "models": {kind: {"id": "model-7", "key": "models/m", "etag": etag}}}

    return upload


@pytest.fixture
def own(module: ModuleType, s3: Any) -> Any:
    return module.OwnModels(s3, "videos")


def unusable(own: Any, work: dict[str, Any], why: str) -> None:
    with pytest.raises(Problem) as refused:
        own.of(work)
    assert refused.value.type == "own-model-unusable"
    assert why in refused.value.detail


def test_a_pose_model_is_loaded_named_and_kept(own: Any, put: Put, s3: Any, saved: Path, tmp_path: Path) -> None:
    work = put(packed(saved, tmp_path / "m"))
    model = own.of(work)["pose"]
    assert "model-7" in model.name
    s3.delete_object(Bucket="videos", Key="models/m")
    assert own.of(work)["pose"] is model, "fetched once"


def test_work_without_models_of_ones_own_is_done_with_the_built_in_ones(own: Any) -> None:
    assert own.of({"options": {}}) == {}


def test_holds_nobody_asked_for_need_no_model(own: Any, put: Put) -> None:
    assert own.of(put(b"never read", "holds", detect_holds=False)) == {}


def test_what_is_not_the_content_that_was_validated_is_not_used(
    own: Any, put: Put, saved: Path, tmp_path: Path
) -> None:
    work = put(packed(saved, tmp_path / "m"))
    put(packed(saved, tmp_path / "other", change=lambda tensors: tensors["backbone.layernorm.bias"].add_(1)))
    unusable(own, work, "replaced")


def test_a_hold_model_is_loaded_and_goes_by_its_id_whatever_it_calls_itself(own: Any, put: Put, tmp_path: Path) -> None:
    with safe_open(WEIGHTS, "pt") as built_in:
        told = built_in.metadata() | {"name": "the built-in one"}
    save_file(load_file(WEIGHTS), tmp_path / "m", metadata=told)
    assert own.of(put((tmp_path / "m").read_bytes(), "holds"))["holds"].name == "holds from model-7"


def test_a_hold_model_of_another_architecture_is_refused(own: Any, put: Put, tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(3)}, tmp_path / "m")
    unusable(own, put((tmp_path / "m").read_bytes(), "holds"), "not those of such a network")


@pytest.mark.parametrize("content", [b"\x80\x04\x95pickle", b"", b"PK\x03\x04 a zip as torch.save makes it"])
@pytest.mark.parametrize("kind", ["pose", "holds"])
def test_only_safetensors_are_opened(own: Any, put: Put, kind: str, content: bytes) -> None:
    unusable(own, put(content, kind), f"own {kind} model")


def test_a_model_that_lacks_a_tensor_is_not_filled_up_at_random(
    own: Any, put: Put, saved: Path, tmp_path: Path
) -> None:
    content = packed(saved, tmp_path / "m", change=lambda tensors: tensors.pop("backbone.layernorm.bias"))
    unusable(own, put(content), "not those that its configuration describes")


def test_numbers_that_are_none_are_refused(own: Any, put: Put, saved: Path, tmp_path: Path) -> None:
    content = packed(saved, tmp_path / "m", change=lambda tensors: tensors["backbone.layernorm.bias"].fill_(torch.nan))
    unusable(own, put(content), "no numbers")


def test_a_configuration_of_a_giant_is_refused_before_anything_is_made_of_it(
    own: Any, put: Put, saved: Path, tmp_path: Path
) -> None:
    giant = json.loads((saved / "config.json").read_text())["backbone_config"] | {"num_hidden_layers": 10**9}
    unusable(own, put(packed(saved, tmp_path / "m", backbone_config=giant)), "asks for more")


def test_a_configuration_cannot_name_code_to_run(own: Any, put: Put, saved: Path, tmp_path: Path) -> None:
    content = packed(saved, tmp_path / "m", auto_map={"AutoModel": "stranger--code.Model"}, quantization_config={})
    assert "pose" in own.of(put(content)), "it is left out"


def test_a_model_of_other_key_points_is_refused(own: Any, put: Put, tmp_path: Path) -> None:
    vitpose(num_labels=5).save_pretrained(tmp_path / "five")
    unusable(own, put(packed(tmp_path / "five", tmp_path / "m")), "17 key points")


def test_only_the_last_few_are_kept(own: Any, module: ModuleType, put: Put, saved: Path, tmp_path: Path) -> None:
    works = [put(packed(saved, tmp_path / "m", number=number)) for number in range(module.KEPT + 1)]
    for number, work in enumerate(works):
        put(packed(saved, tmp_path / "m", number=number))
        own.of(work)
    own.of(works[1])
    unusable(own, works[0], "replaced")
