"""A request that is repeated with an Idempotency-Key is done once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from tests.integration.api.conftest import PASSWORD, NewUser, Person, Rows
from tests.integration.api.test_sessions import problem

pytestmark = pytest.mark.postgres

UPLOAD = {"filename": "a.mp4", "content_type": "video/mp4", "file_size_bytes": 1}


def upload(person: Person, key: str, **changes: Any) -> Any:
    return person.post("/analysis/request-upload", {**UPLOAD, **changes}, headers={"Idempotency-Key": key})


def test_the_same_key_and_body_give_the_same_answer(user: Person) -> None:
    key = str(uuid4())
    first, again = upload(user, key), upload(user, key)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert len(user.get("/videos").json()["items"]) == 1


def test_another_body_with_the_same_key_is_refused(user: Person) -> None:
    key = str(uuid4())
    upload(user, key)
    problem(upload(user, key, filename="b.mp4"), 409, "idempotency-key-reused")


def test_two_users_keys_never_meet(new_user: NewUser) -> None:
    one, other = new_user(), new_user()
    assert upload(one, "first").json()["video_id"] != upload(other, "first").json()["video_id"]


def test_what_was_refused_may_be_tried_again(user: Person) -> None:
    key = str(uuid4())
    start = {"options": {"generate_ghost": True}}
    problem(upload(user, key, start=start), 403, "ghost-needs-pro")
    problem(upload(user, key, start=start), 403, "ghost-needs-pro")
    assert upload(user, key).status_code == 201


def test_after_a_day_the_key_is_free_again(user: Person, rows: Rows) -> None:
    first = upload(user, "daily").json()
    rows(
        "UPDATE idempotency_keys SET created_at = created_at - interval '25 hours' WHERE owner = %s", f"user:{user.id}"
    )
    assert upload(user, "daily").json()["video_id"] != first["video_id"]


def test_concurrent_repetitions_do_it_once(user: Person) -> None:
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: upload(user, "at-once"), range(12)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["video_id"] for answer in answers if answer.status_code == 201}) == 1
    assert len(user.get("/videos").json()["items"]) == 1


def test_a_request_whose_first_try_died_may_be_taken_over(user: Person, rows: Rows) -> None:
    upload(user, "died")
    rows("UPDATE idempotency_keys SET status = NULL, body = NULL WHERE owner = %s", f"user:{user.id}")
    problem(upload(user, "died"), 409, "request-in-progress")
    rows("UPDATE idempotency_keys SET created_at = created_at - interval '61 s' WHERE owner = %s", f"user:{user.id}")
    assert upload(user, "died").status_code == 201


def test_registering_may_be_repeated(client: TestClient, rows: Rows) -> None:
    body = {"email": f"{uuid4().hex}@example.org", "password": PASSWORD}
    headers = {"Idempotency-Key": str(uuid4())}
    first, again = (client.post("/auth/register", json=body, headers=headers) for _ in range(2))
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    remembered = rows("SELECT user_id FROM idempotency_keys WHERE key = %s", headers["Idempotency-Key"])
    assert str(remembered[0]["user_id"]) == first.json()["user"]["id"]


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256])
def test_keys_that_are_none_are_refused(user: Person, key: str) -> None:
    problem(upload(user, key), 422, "invalid-request")


def test_strangers_learn_nothing_from_a_key(user: Person) -> None:
    key = str(uuid4())
    upload(user, key)
    user.access_token = "nobody"
    problem(upload(user, key), 401, "not-authenticated")
