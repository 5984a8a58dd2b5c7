"""Reading analyses: caching, compression, sizes and pages."""

import gzip
import json
from typing import Any

import boto3
import pytest
from ascension_api import representation

from tests.integration.api.conftest import BUCKET, Person, Rows
from tests.integration.api.test_path import complete
from tests.integration.api.test_sessions import problem

pytestmark = pytest.mark.postgres


@pytest.fixture
def job_id(user: Person, rows: Rows, bucket: Any) -> str:
    """A completed analysis of the user's."""
    return complete(user, rows, bucket, compact={"form": "compact"}, verbose={"form": "verbose"})


def test_a_pending_analysis_has_the_whole_envelope(user: Person) -> None:
    answer = user.announce(start={"options": {"climber_hint": {"x": 0.5, "y": 0.25, "t": 1}}}).json()
    read = user.get(f"/analysis/{answer['job_id']}")
    body = read.json()
    created_at = body.pop("created_at")
    assert created_at.endswith("Z")
    assert body == {
        "id": answer["job_id"],
        "video_id": answer["video_id"],
        "status": "pending",
        "revision": 0,
        "started_at": None,
        "completed_at": None,
        "processing_time_ms": None,
        "options": {"generate_ghost": False, "detect_holds": True, "climber_hint": {"x": 0.5, "y": 0.25, "t": 1.0}},
        "progress": {"stage": "waiting", "fraction": 0.0},
        "error": None,
        "metrics": None,
        "metrics_info": None,
        "result": None,
    }
    assert read.headers["cache-control"] == "private, no-cache"


def test_a_failed_analysis_says_why(user: Person, rows: Rows) -> None:
    answer = user.announce(start={}).json()
    error = {"type": "no-climber", "title": "No climber", "detail": "Nobody was found in this video."}
    rows("UPDATE analyses SET status = 'failed', error = %s::jsonb WHERE id = %s", json.dumps(error), answer["job_id"])
    body = user.get(f"/analysis/{answer['job_id']}").json()
    assert body["status"] == "failed"
    assert body["error"] == error
    assert body["result"] is None


@pytest.mark.parametrize("wanted", ["compact", "verbose"])
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_a_finished_analysis_is_immutable_and_need_not_be_sent_twice(
    user: Person, job_id: str, wanted: str, encoding: str
) -> None:
    path, accept = f"/analysis/{job_id}?format={wanted}", {"Accept-Encoding": encoding}
    first = user.get(path, headers=accept)
    assert first.json()["result"] == {"form": wanted}
    assert first.headers["cache-control"] == "private, no-cache, immutable"
    tag = first.headers["etag"]
    assert tag.startswith('"')
    for known in (tag, f'"other", W/{tag}', "*"):
        again = user.get(path, headers={**accept, "If-None-Match": known})
        assert again.status_code == 304
        assert again.headers["etag"] == tag
        assert again.content == b""
    assert user.get(path, headers={**accept, "If-None-Match": '"other"'}).status_code == 200


def test_an_unfinished_analysis_changes_its_etag_with_its_progress(user: Person, rows: Rows) -> None:
    job_id = user.announce(start={}).json()["job_id"]
    first = user.get(f"/analysis/{job_id}").headers["etag"]
    assert user.get(f"/analysis/{job_id}", headers={"If-None-Match": first}).status_code == 304
    rows("UPDATE analyses SET status = 'processing', stage = 'pose', fraction = 0.5 WHERE id = %s", job_id)
    then = user.get(f"/analysis/{job_id}", headers={"If-None-Match": first})
    assert then.status_code == 200
    assert then.json()["progress"] == {"stage": "pose", "fraction": 0.5}


def test_it_is_compressed_for_clients_that_can_read_it(user: Person, job_id: str) -> None:
    compressed = user.get(f"/analysis/{job_id}", headers={"Accept-Encoding": "br, gzip;q=0.5"})
    plain = user.get(f"/analysis/{job_id}", headers={"Accept-Encoding": "gzip;q=0, identity"})
    assert compressed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert compressed.json() == plain.json()
    assert compressed.headers["etag"] != plain.headers["etag"]
    assert "Accept-Encoding" in plain.headers["vary"]


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_what_lambda_cannot_return_is_answered_with_an_address(
    user: Person, job_id: str, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(representation, "MAX_INLINE_BYTES", 10)
    answer = user.get(f"/analysis/{job_id}?format=verbose", headers={"Accept-Encoding": encoding})
    assert answer.status_code == 303
    assert answer.headers["cache-control"] == "no-store"
    location = answer.headers["location"]
    assert "X-Amz-Signature" in location
    key = location.partition("?")[0].partition(".com/")[2]
    assert key.startswith(f"results/{user.id}/{job_id}/")
    stored = boto3.client("s3").get_object(Bucket=BUCKET, Key=key)
    body = stored["Body"].read()
    assert stored["ContentType"] == "application/json"
    assert stored.get("ContentEncoding") == ("gzip" if encoding == "gzip" else None)
    document = json.loads(gzip.decompress(body) if encoding == "gzip" else body)
    assert document["id"] == job_id
    assert document["result"] == {"form": "verbose"}


def test_an_unknown_format_is_refused(user: Person, job_id: str) -> None:
    problem(user.get(f"/analysis/{job_id}?format=xml"), 422, "invalid-request")


@pytest.mark.parametrize("path", ["/analysis", "/videos"])
def test_lists_are_paged_newest_first_without_gaps_or_repetitions(user: Person, rows: Rows, path: str) -> None:
    created = [user.announce(start={}).json() for _ in range(5)]
    # Two of them in the same microsecond: the order must still be total.
    table = path[1:].replace("analysis", "analyses")
    rows(
        f"UPDATE {table} SET created_at = (SELECT min(created_at) FROM {table} WHERE user_id = %s) WHERE id = %s",
        user.id,
        created[1]["job_id" if path == "/analysis" else "video_id"],
    )
    pages = [user.get(path, params={"limit": 2}).json()]
    while cursor := pages[-1]["next_cursor"]:
        pages.append(user.get(path, params={"limit": 2, "cursor": cursor}).json())
    assert [len(page["items"]) for page in pages] == [2, 2, 1]
    seen = [item for page in pages for item in page["items"]]
    assert len({item["id"] for item in seen}) == 5
    assert [item["created_at"] for item in seen] == sorted((item["created_at"] for item in seen), reverse=True)
    assert "result" not in seen[0]


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "é", "' OR 1=1 --", "A" * 201])
def test_cursors_that_are_not_ours_are_refused(user: Person, cursor: str) -> None:
    assert user.get("/analysis", params={"cursor": cursor}).status_code == 422
    assert user.get("/videos", params={"cursor": cursor}).status_code == 422


def test_a_cursor_past_the_end_of_time_is_the_first_page(user: Person) -> None:
    user.announce()
    assert len(user.get("/videos", params={"cursor": "_" * 32}).json()["items"]) == 1
    assert user.get("/videos", params={"cursor": "A" * 32}).json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "9" * 30])
def test_limits_out_of_bounds_are_refused(user: Person, limit: str) -> None:
    problem(user.get("/analysis", params={"limit": limit}), 422, "invalid-request")
