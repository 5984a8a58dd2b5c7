"""An Enterprise account's own network, from its upload to the analyses that are made with it."""

import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.e2e.conftest import Stack
from tests.e2e.phone import PATIENCE_S, Phone

transformers: Any = pytest.importorskip("transformers", reason="transformers is an optional package")


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny ViTPose at random, in one file."""
    folder = tmp_path_factory.mktemp("vitpose")
    torch.manual_seed(0)
    small = {"image_size": [256, 192], "patch_size": [16, 16], "hidden_size": 16, "num_hidden_layers": 1}
    backbone = transformers.VitPoseBackboneConfig(**small, num_attention_heads=2)
    configuration = transformers.VitPoseConfig(backbone_config=backbone, num_labels=17)
    transformers.VitPoseForPoseEstimation(configuration).save_pretrained(folder)
    return packed(folder / "model.safetensors", folder / "config.json", folder / "pose.safetensors")


def packed(tensors: Path, configuration: Path, into: Path, without: str = "") -> Path:
    kept = {name: tensor for name, tensor in load_file(tensors).items() if name != without}
    save_file(kept, into, metadata={"config": configuration.read_text()})
    return into


@pytest.fixture
def enterprise(stack: Stack, phone: Phone) -> Phone:
    query = "UPDATE users SET subscription_tier = 'enterprise' WHERE id = %s RETURNING id"
    assert stack.rows(query, phone.user["id"])
    return phone


def announce(phone: Phone, size: int) -> dict[str, Any]:
    answer = phone.http.put("models/pose", json={"file_size_bytes": size})
    assert answer.status_code == 200, answer.text
    upload: dict[str, Any] = answer.json()["upload"]
    return upload


def upload(phone: Phone, file: Path) -> None:
    target = announce(phone, file.stat().st_size)
    assert phone.put(file, target).status_code == 200


def model_of(phone: Phone) -> dict[str, Any]:
    (model,) = phone.http.get("models").json()["items"]
    found: dict[str, Any] = model
    return found


def test_the_next_analyses_are_made_with_it_and_say_so(enterprise: Phone, network: Path, climb: Path) -> None:
    upload(enterprise, network)
    model = model_of(enterprise)
    assert (model["status"], model["in_use"]) == ("validated", True)
    job = enterprise.wait(enterprise.analyse(climb, detect_holds=False, generate_ghost=False))
    assert job["status"] == "completed", job["error"]
    versions = enterprise.job(job["id"], "verbose")["result"]["quality"]["model_versions"]
    assert model["id"] in versions["pose"]


def test_one_that_cannot_be_used_fails_the_analysis_until_it_is_removed(
    enterprise: Phone, network: Path, climb: Path, tmp_path: Path
) -> None:
    configuration = network.with_name("config.json")
    cut = packed(network, configuration, tmp_path / "cut.safetensors", without="backbone.layernorm.bias")
    upload(enterprise, cut)
    job = enterprise.wait(enterprise.analyse(climb, detect_holds=False))
    assert (job["status"], job["error"]["type"]) == ("failed", "own-model-unusable")
    assert enterprise.http.delete("models/pose").status_code == 204
    assert enterprise.wait(enterprise.analyse(climb, detect_holds=False))["status"] == "completed"


def test_what_is_no_network_is_refused_when_it_arrives(enterprise: Phone, stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "model.pkl"
    file.write_bytes(b"\x80\x04\x95" + b"x" * 500)
    upload(enterprise, file)
    (key,) = stack.rows("SELECT object_key FROM models WHERE user_id = %s", enterprise.user["id"])
    assert gone(stack, key["object_key"])
    assert model_of(enterprise)["status"] == "rejected"


def test_a_file_that_comes_after_its_account_has_gone_is_removed(
    enterprise: Phone, stack: Stack, network: Path
) -> None:
    target = announce(enterprise, network.stat().st_size)
    (key,) = stack.rows("SELECT object_key FROM models WHERE user_id = %s", enterprise.user["id"])
    assert enterprise.http.delete("me").status_code == 204
    assert enterprise.put(network, target).status_code == 200, "the address is valid still"
    assert gone(stack, key["object_key"])


def gone(stack: Stack, key: str) -> bool:
    """Whether the object disappears by itself."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if not stack.client("s3").list_objects_v2(Bucket=stack.bucket, Prefix=key)["KeyCount"]:
            return True
        time.sleep(0.2)
    return False


def test_a_file_of_another_length_than_announced_is_refused(enterprise: Phone, network: Path) -> None:
    target = announce(enterprise, network.stat().st_size - 1)
    headers = {name: value for name, value in target["headers"].items() if name.lower() != "content-length"}
    refused = httpx.put(target["url"], content=network.read_bytes(), headers=headers, timeout=60)
    assert refused.status_code == 403
    assert model_of(enterprise)["status"] == "awaiting-upload"
