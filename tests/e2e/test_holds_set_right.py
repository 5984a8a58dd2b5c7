"""Holds set right by their user: what hangs on them is computed anew, without the video, and nothing is ever lost."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Stack
from tests.e2e.phone import Phone
from tests.e2e.test_mishaps import needs_proc, worker_of

ADDED = {"action": "add", "box": [0.45, 0.1, 0.5, 0.13], "type": "jug"}


def correct(phone: Phone, job_id: str, *changes: dict[str, Any]) -> dict[str, Any]:
    answer = phone.http.patch(f"analysis/{job_id}/holds", json={"changes": list(changes)})
    assert answer.status_code == 202, answer.text
    told: dict[str, Any] = answer.json()
    return told


def holds_of(phone: Phone, job_id: str) -> dict[int, dict[str, Any]]:
    result = phone.job(job_id, "verbose")["result"]
    return {hold["id"]: hold for hold in result["holds"]}


@pytest.fixture
def job_id(phone: Phone, climb: Path) -> str:
    """A completed analysis."""
    job = phone.wait(phone.analyse(climb))
    assert job["status"] == "completed", job["error"]
    found: str = job["id"]
    return found


def test_a_corrected_analysis_has_its_holds_another_etag_and_no_need_of_the_video(
    stack: Stack, phone: Phone, job_id: str
) -> None:
    before = phone.http.get(f"analysis/{job_id}")
    known = holds_of(phone, job_id)
    (video,) = stack.rows("SELECT object_key FROM videos WHERE id = %s", before.json()["video_id"])
    stack.client("s3").delete_object(Bucket=stack.bucket, Key=video["object_key"])

    with phone.listening() as listener:
        told = correct(phone, job_id, ADDED)
        assert told == {"job_id": job_id, "status": "processing", "revision": 1}
        over = listener.wait_for(job_id, "analysis:completed", "analysis:failed")
        names = [message["event"] for message in listener.events_of(job_id)]
    assert (over["event"], over["data"].get("revision")) == ("analysis:completed", 1), over
    assert names[0] == "analysis:started"

    after = phone.http.get(f"analysis/{job_id}", headers={"If-None-Match": before.headers["etag"]})
    assert (after.status_code, after.json()["revision"], after.json()["error"]) == (200, 1, None)
    assert after.json()["result"]["revision"] == 1
    (new,) = holds_of(phone, job_id).keys() - known.keys()
    hold = holds_of(phone, job_id)[new]
    assert (hold["by"], hold["type"]) == ("user", "jug")
    assert hold["box"] == pytest.approx(ADDED["box"], abs=0.005)

    correct(phone, job_id, {"action": "delete", "hold_id": new})
    assert phone.wait(job_id)["revision"] == 2
    assert holds_of(phone, job_id).keys() == known.keys()


def test_a_correction_that_cannot_be_carried_out_leaves_everything_as_it_was(phone: Phone, job_id: str) -> None:
    before = phone.job(job_id)
    with phone.listening() as listener:
        correct(phone, job_id, ADDED, {"action": "delete", "hold_id": 4_000_000})
        told = listener.wait_for(job_id, "analysis:completed", "analysis:failed")
    assert (told["event"], told["data"]["type"], told["data"]["revision"]) == (
        "analysis:failed",
        "invalid-correction",
        0,
    )
    after = phone.job(job_id)
    assert after["error"]["type"] == "invalid-correction"
    assert after == {**before, "error": after["error"]}


def test_one_correction_at_a_time(stack: Stack, phone: Phone, job_id: str) -> None:
    correct(phone, job_id, ADDED)
    again = phone.http.patch(f"analysis/{job_id}/holds", json={"changes": [ADDED]})
    # Unless the first was carried out in between.
    assert again.status_code in (409, 202)
    assert phone.wait(job_id)["revision"] == (1 if again.status_code == 409 else 2)
    uses = stack.rows("SELECT count(*) AS n FROM quota_uses WHERE user_id = %s", phone.user["id"])
    assert uses == [{"n": 1}]


@needs_proc
def test_a_worker_that_dies_of_a_correction_loses_nothing(stack: Stack, phone: Phone, job_id: str) -> None:
    os.kill(worker_of(stack), signal.SIGSTOP)
    stopped = worker_of(stack)
    correct(phone, job_id, ADDED)
    os.kill(stopped, signal.SIGKILL)
    assert phone.wait(job_id)["revision"] == 1
