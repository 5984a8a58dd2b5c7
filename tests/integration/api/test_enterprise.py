"""API keys and bulk."""

from typing import Any
from uuid import uuid4

import pytest

from tests.integration.api.conftest import NewUser, Person, Rows
from tests.integration.api.test_sessions import problem

pytestmark = pytest.mark.postgres


@pytest.fixture
def enterprise(new_user: NewUser) -> Person:
    return new_user("enterprise")


def by_key(person: Person, key: str, method: str, path: str, **kwargs: Any) -> Any:
    return person.client.request(method, path, headers={"X-API-Key": key}, **kwargs)


def test_a_key_is_shown_once_and_stored_hashed(enterprise: Person, rows: Rows) -> None:
    made = enterprise.post("/api-keys", {"name": "wall camera"})
    assert made.status_code == 201
    key = made.json()["key"]
    listed = enterprise.get("/api-keys")
    assert [item["id"] for item in listed.json()["items"]] == [made.json()["id"]]
    assert key not in listed.text
    assert key.startswith(listed.json()["items"][0]["prefix"])
    stored = rows("SELECT * FROM api_keys WHERE user_id = %s", enterprise.id)[0]
    assert key not in str(stored)


def test_a_key_stands_for_its_owner(enterprise: Person) -> None:
    key = enterprise.post("/api-keys", {"name": "server"}).json()["key"]
    body = {"filename": "a.mp4", "content_type": "video/mp4", "file_size_bytes": 1, "start": {}}
    job_id = by_key(enterprise, key, "POST", "/analysis/request-upload", json=body).json()["job_id"]
    assert enterprise.get(f"/analysis/{job_id}").status_code == 200
    assert enterprise.get("/api-keys").json()["items"][0]["last_used_at"] is not None


def test_a_key_may_do_what_its_scopes_name(enterprise: Person) -> None:
    key = enterprise.post("/api-keys", {"name": "reader", "scopes": ["analysis:read"]}).json()["key"]
    assert by_key(enterprise, key, "GET", "/analysis").status_code == 200
    problem(by_key(enterprise, key, "GET", "/videos"), 403, "scope-missing")
    start = {"video_id": str(uuid4())}
    problem(by_key(enterprise, key, "POST", "/analysis/start", json=start), 403, "scope-missing")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/me"), ("DELETE", "/me"), ("POST", "/api-keys"), ("GET", "/api-keys")]
)
def test_a_key_cannot_touch_the_account(enterprise: Person, method: str, path: str) -> None:
    key = enterprise.post("/api-keys", {"name": "server"}).json()["key"]
    problem(by_key(enterprise, key, method, path), 401, "not-authenticated")


def test_a_revoked_or_expired_or_downgraded_key_is_refused(enterprise: Person, rows: Rows) -> None:
    keys = [enterprise.post("/api-keys", {"name": name}).json() for name in ("revoked", "expired", "good")]
    assert enterprise.delete(f"/api-keys/{keys[0]['id']}").status_code == 204
    problem(enterprise.delete(f"/api-keys/{keys[0]['id']}"), 404, "api-key-not-found")
    rows("UPDATE api_keys SET expires_at = now() WHERE id = %s", keys[1]["id"])
    answers = [by_key(enterprise, key["key"], "GET", "/analysis").status_code for key in keys]
    assert answers == [401, 401, 200]
    rows("UPDATE users SET subscription_tier = 'pro' WHERE id = %s", enterprise.id)
    problem(by_key(enterprise, keys[2]["key"], "GET", "/analysis"), 401, "invalid-api-key")
    problem(by_key(enterprise, "asc_guess", "GET", "/analysis"), 401, "invalid-api-key")
    problem(by_key(enterprise, "", "GET", "/analysis"), 401, "invalid-api-key")


def test_somebody_elses_key_is_as_good_as_none(enterprise: Person, new_user: NewUser) -> None:
    key_id = enterprise.post("/api-keys", {"name": "server"}).json()["id"]
    problem(new_user("enterprise").delete(f"/api-keys/{key_id}"), 404, "api-key-not-found")
    assert len(enterprise.get("/api-keys").json()["items"]) == 1


def test_keys_and_bulk_are_for_enterprise(pro: Person) -> None:
    problem(pro.post("/api-keys", {"name": "server"}), 403, "needs-enterprise")
    problem(pro.post("/analysis/bulk", {"items": [{"video_id": str(uuid4())}]}), 403, "needs-enterprise")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x", "scopes": []},
        {"name": "x", "scopes": ["admin"]},
        {"name": "x", "expires_at": "2050-01-01T00:00:00"},
    ],
    ids=str,
)
def test_malformed_key_requests_are_refused(enterprise: Person, body: dict[str, Any]) -> None:
    problem(enterprise.post("/api-keys", body), 422, "invalid-request")


def test_a_key_that_has_expired_already_is_not_made(enterprise: Person) -> None:
    made = enterprise.post("/api-keys", {"name": "x", "expires_at": "2020-01-01T00:00:00Z"})
    problem(made, 409, "expiry-has-passed")
    assert enterprise.get("/api-keys").json()["items"] == []


def test_each_item_of_a_bulk_has_its_own_outcome(enterprise: Person, new_user: NewUser) -> None:
    mine, theirs = enterprise.announce().json()["video_id"], new_user().announce().json()["video_id"]
    items: list[dict[str, Any]] = [{"video_id": mine}, {"video_id": theirs}, {"video_id": mine}]
    items.append({"video_id": mine, "options": {"generate_ghost": False}})
    answer = enterprise.post("/analysis/bulk", {"items": items})
    assert answer.status_code == 202
    first, foreign, again, other = answer.json()["items"]
    assert first["status"] == "pending"
    assert first["error"] is None
    assert foreign["error"]["type"] == "video-not-found"
    assert foreign["job_id"] is None
    assert again["job_id"] == first["job_id"] != other["job_id"]


def test_a_bulk_has_one_to_a_hundred_items(enterprise: Person) -> None:
    for count in (0, 101):
        body = {"items": [{"video_id": str(uuid4())}] * count}
        problem(enterprise.post("/analysis/bulk", body), 422, "invalid-request")
