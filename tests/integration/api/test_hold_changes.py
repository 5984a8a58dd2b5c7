"""Correcting holds, as a client asks for it."""

import gzip
import json
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.api.conftest import NewUser, Person, Rows
from tests.integration.api.test_path import complete
from tests.integration.api.test_sessions import problem

pytestmark = pytest.mark.postgres

CHANGES: dict[str, Any] = {
    "changes": [
        {"action": "add", "box": [0.1, 0.2, 0.15, 0.24], "type": "jug"},
        {"action": "move", "hold_id": 3, "box": [-0.2, 0.2, 0.15, 1.24]},
        {"action": "retype", "hold_id": 3, "type": "volume"},
        {"action": "delete", "hold_id": 4},
    ]
}


@pytest.fixture
def job_id(user: Person, rows: Rows, bucket: Any) -> str:
    """A completed analysis of the user's."""
    return complete(user, rows, bucket, compact={"form": "compact"}, verbose={"form": "verbose"})


def patch(person: Person, job_id: str, body: Any = CHANGES, **headers: str) -> Any:
    return person.call("PATCH", f"/analysis/{job_id}/holds", json=body, headers=headers)


def test_a_correction_is_taken_and_the_analysis_is_processing_again(
    user: Person, job_id: str, executions: Any, rows: Rows
) -> None:
    before = user.get(f"/analysis/{job_id}")
    answer = patch(user, job_id)
    assert answer.status_code == 202
    assert answer.json() == {"job_id": job_id, "status": "processing", "revision": 1}
    now = user.get(f"/analysis/{job_id}", headers={"If-None-Match": before.headers["etag"]})
    assert (now.json()["status"], now.json()["revision"], now.json()["result"]) == ("processing", 0, None)
    assert now.headers["cache-control"] == "private, no-cache"
    (correction,) = rows("SELECT * FROM corrections WHERE analysis_id = %s", job_id)
    assert correction["changes"] == CHANGES["changes"]
    assert executions()[str(correction["id"])]["job_id"] == job_id
    problem(patch(user, job_id), 409, "correction-running")
    assert user.get("/me").json()["usage"]["analyses_this_month"] == 1, "it costs no quota"


def test_a_correction_that_failed_is_told_under_another_etag_with_the_result_that_was_there(
    user: Person, job_id: str, rows: Rows
) -> None:
    before = user.get(f"/analysis/{job_id}")
    error = '{"type": "invalid-correction", "title": "No", "detail": "There is no hold 4."}'
    rows("UPDATE analyses SET error = %s::jsonb WHERE id = %s", error, job_id)
    after = user.get(f"/analysis/{job_id}")
    assert after.headers["etag"] != before.headers["etag"]
    assert after.json() == {**before.json(), "error": json.loads(error)}


def test_the_verbose_result_of_a_revision_comes_from_its_own_folder(
    user: Person, job_id: str, rows: Rows, bucket: Any
) -> None:
    rows("UPDATE analyses SET revision = 1, result_folder = 'r1-0a/' WHERE id = %s", job_id)
    body = gzip.compress(b'{"form": "corrected"}')
    bucket.put_object(Key=f"results/{user.id}/{job_id}/r1-0a/verbose.json.gz", Body=body)
    read = user.get(f"/analysis/{job_id}?format=verbose").json()
    assert (read["revision"], read["result"]) == (1, {"form": "corrected"})


def test_a_correction_repeated_with_its_key_is_made_once(user: Person, job_id: str, rows: Rows) -> None:
    first, again = (patch(user, job_id, **{"Idempotency-Key": "once"}) for _ in range(2))
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert len(rows("SELECT id FROM corrections WHERE analysis_id = %s", job_id)) == 1


@pytest.mark.parametrize(
    "changes",
    [
        [],
        [{"action": "delete", "hold_id": 1}] * 101,
        [{"action": "paint", "hold_id": 1}],
        [{"action": "delete"}],
        [{"action": "delete", "hold_id": -1}],
        [{"action": "delete", "hold_id": "1"}],
        [{"action": "delete", "hold_id": 1, "box": [0, 0, 1, 1]}],
        [{"action": "add"}],
        [{"action": "add", "box": [0, 0, 1]}],
        [{"action": "add", "box": [0, 0, 1, "1"]}],
        [{"action": "add", "box": [0, 0, 1, 11]}],
        [{"action": "add", "box": [0, 0, 1, 1], "type": "banana"}],
        [{"action": "retype", "hold_id": 1, "type": "jug'; DROP TABLE analyses --"}],
        None,
    ],
    ids=lambda changes: repr(changes)[:50],
)
def test_malformed_changes_are_refused(user: Person, job_id: str, changes: Any) -> None:
    problem(patch(user, job_id, {"changes": changes}), 422, "invalid-request")


def test_an_inside_out_box_is_refused_with_its_number(user: Person, job_id: str) -> None:
    answer = patch(user, job_id, {"changes": [*CHANGES["changes"], {"action": "add", "box": [0.5, 0.1, 0.4, 0.2]}]})
    problem(answer, 422, "invalid-correction")
    assert "Change 5" in answer.json()["detail"]


def test_only_completed_analyses_can_be_corrected(user: Person) -> None:
    job_id = user.announce(start={}).json()["job_id"]
    problem(patch(user, job_id), 409, "analysis-not-completed")
    problem(patch(user, str(uuid4())), 404, "analysis-not-found")


def test_a_key_needs_the_scope_to_write(new_user: NewUser, rows: Rows, bucket: Any) -> None:
    owner = new_user("enterprise")
    job_id = complete(owner, rows, bucket)
    key = owner.post("/api-keys", {"name": "reader", "scopes": ["analysis:read"]}).json()["key"]
    answer = owner.client.request("PATCH", f"/analysis/{job_id}/holds", json=CHANGES, headers={"X-API-Key": key})
    problem(answer, 403, "scope-missing")
