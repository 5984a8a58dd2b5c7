"""From registering to a result, as a client goes."""

import gzip
import json
from typing import Any

import pytest
from ascension.analyses import lifecycle

from tests.integration.api.conftest import Person, Rows

pytestmark = pytest.mark.postgres


def test_a_new_user_registers_logs_in_and_reads_the_profile(user: Person) -> None:
    profile = user.get("/me")
    assert profile.status_code == 200
    assert profile.json()["email"] == user.email
    assert profile.json()["subscription_tier"] == "free"
    assert profile.json()["usage"]["analyses_this_month"] == 0
    assert profile.json()["usage"]["limit"] == 10


def test_starting_before_the_upload_begins_when_the_bytes_arrive(user: Person, executions: Any, rows: Rows) -> None:
    video_id = user.announce().json()["video_id"]
    started = user.start(video_id)
    assert started.status_code == 202
    job_id = started.json()["job_id"]
    assert started.json()["status"] == "pending"
    assert job_id not in executions()
    key = rows("SELECT object_key FROM videos WHERE id = %s", video_id)[0]["object_key"]
    lifecycle.upload_arrived(key, 1000)
    assert executions()[job_id]["video_key"] == key


def test_starting_after_the_upload_begins_at_once(user: Person, executions: Any, rows: Rows) -> None:
    video_id = user.announce().json()["video_id"]
    key = rows("SELECT object_key FROM videos WHERE id = %s", video_id)[0]["object_key"]
    lifecycle.upload_arrived(key, 1000)
    job_id = user.start(video_id).json()["job_id"]
    assert executions()[job_id]["user_id"] == user.id


def test_start_inside_request_upload_begins_when_the_bytes_arrive(user: Person, executions: Any, rows: Rows) -> None:
    answer = user.announce(start={"options": {"detect_holds": False}}).json()
    key = rows("SELECT object_key FROM videos WHERE id = %s", answer["video_id"])[0]["object_key"]
    lifecycle.upload_arrived(key, 1000)
    lifecycle.upload_arrived(key, 1000)
    options = json.loads(executions()[answer["job_id"]]["options_json"])
    assert options == {"generate_ghost": False, "detect_holds": False}


def test_the_same_video_and_options_give_the_same_job(user: Person) -> None:
    video_id = user.announce().json()["video_id"]
    first = user.start(video_id, climber_height_cm=176)
    again = user.start(video_id, climber_height_cm=176.0, generate_ghost=False, detect_holds=True)
    other = user.start(video_id, climber_height_cm=180)
    assert first.json()["job_id"] == again.json()["job_id"] != other.json()["job_id"]


def test_a_failed_analysis_may_be_started_anew(user: Person, rows: Rows) -> None:
    video_id = user.announce().json()["video_id"]
    first = user.start(video_id).json()["job_id"]
    rows(
        'UPDATE analyses SET status = \'failed\', error = \'{"type": "x", "title": "X", "detail": "x"}\' WHERE id = %s',
        first,
    )
    assert user.start(video_id).json()["job_id"] != first


def test_a_completed_analysis_carries_its_result_and_metrics(user: Person, rows: Rows, bucket: Any) -> None:
    job_id = complete(user, rows, bucket, compact={"schema": "c"}, verbose={"schema": "v"})
    compact = user.get(f"/analysis/{job_id}")
    assert compact.status_code == 200
    body = compact.json()
    assert body["status"] == "completed"
    assert body["result"] == {"schema": "c"}
    assert body["metrics"] == {"avg_tension": None, "max_reach_cm": 181.5}
    assert body["metrics_info"]["avg_tension"]["reason"] == "not-visible"
    assert body["progress"] == {"stage": "completed", "fraction": 1.0}
    assert body["error"] is None
    verbose = user.get(f"/analysis/{job_id}?format=verbose")
    assert verbose.json()["result"] == {"schema": "v"}
    assert verbose.headers["etag"] != compact.headers["etag"]


def complete(user: Person, rows: Rows, bucket: Any, compact: Any = None, verbose: Any = None) -> str:
    """An analysis that is completed, the way the worker and the workflow leave it."""
    answer = user.announce(start={}).json()
    job_id: str = answer["job_id"]
    key = rows("SELECT object_key FROM videos WHERE id = %s", answer["video_id"])[0]["object_key"]
    bucket.put_object(Key=key, Body=b"video")
    lifecycle.upload_arrived(key, 1000)
    prefix = f"results/{user.id}/{job_id}/"
    bucket.put_object(Key=prefix + "verbose.json.gz", Body=gzip.compress(json.dumps(verbose or {}).encode()))
    bucket.put_object(Key=prefix + "thumbnail.jpg", Body=b"jpeg")
    stored = gzip.compress(json.dumps(compact or {}).encode())
    rows(
        "UPDATE analyses SET status = 'completed', stage = 'completed', fraction = 1, started_at = now(), "
        "completed_at = now(), processing_time_ms = 1234, result = %s, result_etag = md5(%s) WHERE id = %s",
        stored,
        stored,
        job_id,
    )
    rows("UPDATE videos SET thumbnail_key = %s WHERE id = %s", prefix + "thumbnail.jpg", answer["video_id"])
    rows("INSERT INTO analysis_metrics VALUES (%s, 'max_reach_cm', 181.5, 'cm', 2.5, NULL)", job_id)
    rows("INSERT INTO analysis_metrics VALUES (%s, 'avg_tension', NULL, NULL, NULL, 'not-visible')", job_id)
    return job_id
