"""Enterprise customers' own models: announced, uploaded, looked at before anything would use them."""

import json
from typing import Any

import pytest
from ascension.models import service as models
from ascension.videos import storage

from tests.integration.api.conftest import NewUser, Person, Rows
from tests.integration.api.test_sessions import problem

pytestmark = pytest.mark.postgres


@pytest.fixture
def enterprise(new_user: NewUser) -> Person:
    return new_user("enterprise")


def put(person: Person, kind: str = "holds", size: int = 1000) -> Any:
    return person.call("PUT", f"/models/{kind}", json={"file_size_bytes": size})


def key_of(rows: Rows, model_id: str) -> str:
    key: str = rows("SELECT object_key FROM models WHERE id = %s", model_id)[0]["object_key"]
    return key


def safetensors(configuration: str | None = '{"model_type": "vitpose"}') -> bytes:
    tensors = {"weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}
    header = json.dumps({"__metadata__": {"config": configuration} if configuration else {}, **tensors}).encode()
    return len(header).to_bytes(8, "little") + header + b"\0" * 24


def test_a_model_is_announced_uploaded_and_validated(enterprise: Person, rows: Rows, bucket: Any) -> None:
    announced = put(enterprise, "pose")
    assert announced.status_code == 200
    model, upload = announced.json()["model"], announced.json()["upload"]
    assert (model["kind"], model["status"], model["in_use"]) == ("pose", "awaiting-upload", False)
    assert f"/models/{enterprise.id}/pose/{model['id']}.safetensors?" in upload["url"]
    assert upload["headers"] == {"Content-Type": "application/octet-stream", "Content-Length": "1000"}
    assert [item["status"] for item in enterprise.get("/models").json()["items"]] == ["awaiting-upload"]
    bucket.put_object(Key=key_of(rows, model["id"]), Body=safetensors())
    (seen,) = enterprise.get("/models").json()["items"]
    assert (seen["status"], seen["tensors"], seen["parameters"], seen["problem"]) == ("validated", 1, 6, None)
    assert seen["in_use"] is True


@pytest.mark.parametrize("configuration", [None, "no json", "[]", '{"model_type": "bert"}', "[" * 100_000])
def test_a_pose_model_that_does_not_say_how_it_is_put_together_is_rejected(
    enterprise: Person, rows: Rows, bucket: Any, configuration: str | None
) -> None:
    bucket.put_object(Key=key_of(rows, put(enterprise, "pose").json()["model"]["id"]), Body=safetensors(configuration))
    (seen,) = enterprise.get("/models").json()["items"]
    assert (seen["status"], seen["in_use"]) == ("rejected", False)
    assert "config.json" in seen["problem"]


def test_a_model_can_be_removed(enterprise: Person, rows: Rows, bucket: Any) -> None:
    key = key_of(rows, put(enterprise).json()["model"]["id"])
    bucket.put_object(Key=key, Body=safetensors())
    assert enterprise.delete("/models/holds").status_code == 204
    assert enterprise.get("/models").json()["items"] == []
    assert not list(bucket.objects.filter(Prefix=key))
    problem(enterprise.delete("/models/holds"), 404, "model-not-found")


@pytest.mark.parametrize("content", [b"", b"\x80\x04\x95pickle", safetensors()[:-1]], ids=["empty", "pickle", "cut"])
def test_what_is_no_model_is_rejected_and_removed(enterprise: Person, rows: Rows, bucket: Any, content: bytes) -> None:
    key = key_of(rows, put(enterprise).json()["model"]["id"])
    bucket.put_object(Key=key, Body=content)
    (seen,) = enterprise.get("/models").json()["items"]
    assert seen["status"] == "rejected"
    assert seen["problem"]
    assert not list(bucket.objects.filter(Prefix=key))


def test_a_new_model_takes_the_place_of_the_one_before(enterprise: Person, rows: Rows, bucket: Any) -> None:
    first = key_of(rows, put(enterprise).json()["model"]["id"])
    bucket.put_object(Key=first, Body=safetensors())
    enterprise.get("/models")
    again = put(enterprise).json()["model"]
    (seen,) = enterprise.get("/models").json()["items"]
    assert (seen["id"], seen["status"], seen["tensors"]) == (again["id"], "awaiting-upload", None)
    assert not list(bucket.objects.filter(Prefix=first))


def test_models_go_with_the_account(enterprise: Person, rows: Rows, bucket: Any) -> None:
    bucket.put_object(Key=key_of(rows, put(enterprise).json()["model"]["id"]), Body=safetensors())
    assert enterprise.delete("/me").status_code == 204
    assert not list(bucket.objects.filter(Prefix=f"models/{enterprise.id}/"))
    assert not rows("SELECT 1 FROM models WHERE user_id = %s", enterprise.id)


def test_a_model_that_arrives_while_its_account_goes_does_not_stay(
    enterprise: Person, rows: Rows, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = key_of(rows, put(enterprise).json()["model"]["id"])
    get_part = storage.get_part

    def leave_and_get(*arguments: Any) -> storage.Part | None:
        monkeypatch.undo()
        assert enterprise.delete("/me").status_code == 204
        bucket.put_object(Key=key, Body=safetensors())
        return get_part(*arguments)

    monkeypatch.setattr(storage, "get_part", leave_and_get)
    models.arrived(key)
    assert not list(bucket.objects.filter(Prefix=key))


def test_models_are_for_enterprise_of_a_known_kind_and_of_a_sensible_size(enterprise: Person, pro: Person) -> None:
    problem(put(pro), 403, "needs-enterprise")
    problem(pro.get("/models"), 403, "needs-enterprise")
    problem(pro.delete("/models/pose"), 403, "needs-enterprise")
    problem(put(enterprise, "ghost"), 422, "invalid-request")
    problem(put(enterprise, size=0), 422, "invalid-request")
    problem(put(enterprise, size=200 * 1024 * 1024 + 1), 422, "model-too-large")


def test_nobody_sees_anothers_models(enterprise: Person, new_user: NewUser) -> None:
    put(enterprise)
    stranger = new_user("enterprise")
    assert stranger.get("/models").json()["items"] == []
    problem(stranger.delete("/models/holds"), 404, "model-not-found")
    assert len(enterprise.get("/models").json()["items"]) == 1
