"""Models from their arrival in the bucket to the work of an analysis."""

import json
from typing import Any
from uuid import uuid4

import pytest
from ascension.database import one, transaction
from ascension.settings import aws_client, settings

from tests.integration.workflow.conftest import BUCKET, Climb
from tests.integration.workflow.test_ingest import deliver, upload_event
from tests.integration.workflow.test_workers import hand_over, waiting

pytestmark = pytest.mark.postgres


def announced(climb: Climb, kind: str = "holds") -> str:
    """A model of the climb's owner, who is on Enterprise. Returns its key."""
    key = f"models/{climb.user_id}/{kind}/{uuid4()}.safetensors"
    with transaction() as tx:
        tx.execute("UPDATE users SET subscription_tier = 'enterprise' WHERE id = %s", (climb.user_id,))
        tx.execute(
            "INSERT INTO models (id, user_id, kind, object_key, size_bytes) VALUES (%s, %s, %s, %s, 1000)",
            (uuid4(), climb.user_id, kind, key),
        )
    return key


def upload(key: str, content: bytes | None = None) -> str:
    """Put a model's bytes into the bucket. Returns their etag."""
    header = json.dumps({"weight": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    body = len(header).to_bytes(8, "little") + header + b"\0" * 4 if content is None else content
    etag: str = aws_client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)["ETag"]
    return etag


def stored(key: str) -> dict[str, Any] | None:
    with transaction() as tx:
        return one(tx, "SELECT * FROM models WHERE object_key = %s", key)


def there(key: str) -> bool:
    return bool(aws_client("s3").list_objects_v2(Bucket=BUCKET, Prefix=key)["KeyCount"])


def work(climb: Climb) -> dict[str, Any]:
    hand_over(climb)
    (message,) = waiting(settings().priority_queue_url) + waiting(settings().work_queue_url)
    return message


def test_a_model_is_looked_at_when_it_arrives(climb: Climb) -> None:
    key = announced(climb)
    etag = upload(key)
    assert deliver(upload_event(key)) == []
    seen = stored(key)
    assert seen is not None
    assert (seen["status"], seen["etag"]) == ("validated", etag)


def test_what_arrives_and_is_no_model_is_rejected_and_removed(climb: Climb) -> None:
    key = announced(climb)
    upload(key, b"\x80\x04 a pickle")
    deliver(upload_event(key))
    seen = stored(key)
    assert seen is not None
    assert seen["status"] == "rejected"
    assert not there(key)


def test_a_file_that_takes_the_place_of_a_validated_one_is_looked_at_again(climb: Climb) -> None:
    key = announced(climb)
    upload(key)
    deliver(upload_event(key))
    upload(key, b"\x80\x04 a pickle")
    deliver(upload_event(key))
    assert not there(key)
    assert work(climb)["models"] == {}


def test_a_model_that_comes_when_its_account_is_gone_is_removed(climb: Climb) -> None:
    key = announced(climb)
    with transaction() as tx:
        tx.execute("DELETE FROM users WHERE id = %s", (climb.user_id,))
    upload(key)
    assert deliver(upload_event(key)) == []
    assert not there(key)


def test_a_validated_model_goes_with_the_work_even_ahead_of_its_event(climb: Climb) -> None:
    key = announced(climb)
    assert work(climb)["models"] == {}
    etag = upload(key)
    (told,) = work(climb)["models"].values()
    assert (told["key"], told["etag"]) == (key, etag)


@pytest.mark.parametrize("tier", ["free", "pro"])
def test_an_account_that_left_enterprise_is_analysed_with_the_built_in_models(climb: Climb, tier: str) -> None:
    upload(announced(climb))
    with transaction() as tx:
        tx.execute("UPDATE users SET subscription_tier = %s WHERE id = %s", (tier, climb.user_id))
    assert work(climb)["models"] == {}
