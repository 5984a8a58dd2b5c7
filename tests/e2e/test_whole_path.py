"""A climbing video through the real system, from the account to the result."""

import os
from pathlib import Path

import pytest

from tests.e2e.conftest import Stack
from tests.e2e.phone import Phone

SHARED = Path(os.environ.get("ASCENSION_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))


def test_a_climb_becomes_a_result_and_the_phone_hears_every_step(phone: Phone, climb: Path) -> None:
    with phone.listening() as listener:
        job_id = phone.analyse(climb)
        over = listener.wait_for(job_id, "analysis:completed", "analysis:failed")
        events = listener.events_of(job_id)

    assert over["event"] == "analysis:completed", over
    names = [message["event"] for message in events]
    assert names[0] == "analysis:started"
    assert names.count("analysis:started") == names.count("analysis:completed") == 1
    fractions = [m["data"]["fraction"] for m in events if m["event"] == "analysis:progress"]
    assert fractions
    assert fractions == sorted(set(fractions))

    job = phone.job(job_id)
    assert job["status"] == "completed"
    assert job["error"] is None
    assert job["progress"] == {"stage": "completed", "fraction": 1.0}
    assert job["metrics"] == over["data"]["metrics"]
    assert over["data"]["result_url"].endswith(f"/api/v1/analysis/{job_id}")
    assert job["result"]["schema"] == "ascension.analysis.compact/3"

    result = phone.job(job_id, "verbose")["result"]
    assert result["schema"] == "ascension.analysis/1"
    frames = result["poses"]["frames"]
    seen = [frame for frame in frames if frame["landmarks"] is not None]
    assert result["video"]["frame_count"] == len(frames) == 90
    assert len(seen) == result["quality"]["frames_with_climber"] >= 0.9 * len(frames)
    assert all(len(frame["landmarks"]) == 33 and len(frame["landmarks"][0]) == 4 for frame in seen)
    assert result["holds"] is not None or "holds" in result["absent"]


def test_the_event_reaches_the_owner_and_nobody_else(stack: Stack, phone: Phone, climb: Path) -> None:
    stranger = Phone(stack.api_url)
    with phone.listening() as listener, stranger.listening() as eavesdropper:
        job_id = phone.analyse(climb)
        listener.wait_for(job_id, "analysis:completed")
        assert eavesdropper.heard == []
    assert stranger.http.get(f"analysis/{job_id}").status_code == 404


def test_starting_before_the_upload_begins_when_the_bytes_arrive(phone: Phone, climb: Path) -> None:
    announced = phone.request_upload(climb)
    started = phone.post("analysis/start", 202, video_id=announced["video_id"])
    assert phone.job(started["job_id"])["status"] == "pending"
    phone.upload(climb, announced["upload"])
    assert phone.wait(started["job_id"])["status"] == "completed"


def test_starting_after_the_upload_gives_one_job_however_often_it_is_asked_for(
    stack: Stack, phone: Phone, climb: Path
) -> None:
    announced = phone.request_upload(climb)
    phone.upload(climb, announced["upload"])
    jobs = {phone.post("analysis/start", 202, video_id=announced["video_id"])["job_id"] for _ in range(3)}
    assert len(jobs) == 1
    assert phone.wait(jobs.pop())["status"] == "completed"
    assert len(stack.rows("SELECT id FROM analyses WHERE video_id = %s", announced["video_id"])) == 1


def test_result_video_facts_metrics_and_thumbnail_are_kept_together(stack: Stack, phone: Phone, climb: Path) -> None:
    job = phone.wait(phone.analyse(climb))
    (video,) = stack.rows("SELECT * FROM videos WHERE id = %s", job["video_id"])
    assert (video["width"], video["height"]) == (360, 640)
    names = {row["name"] for row in stack.rows("SELECT name FROM analysis_metrics WHERE analysis_id = %s", job["id"])}
    assert names == set(job["metrics"]) >= {"max_reach_cm", "avg_tension", "movement_efficiency", "hold_count"}
    thumbnail = stack.client("s3").get_object(Bucket=stack.bucket, Key=video["thumbnail_key"])["Body"].read()
    assert thumbnail.startswith(b"\xff\xd8")


def test_a_real_climb_is_seen_in_95_percent_of_its_frames(phone: Phone) -> None:
    clip = SHARED / "clips" / "warp-fixed-input.mp4"
    if not clip.exists():
        pytest.skip(f"real footage is not here: {clip}")
    job = phone.wait(phone.analyse(clip))
    assert job["status"] == "completed"
    result = phone.job(job["id"], "verbose")["result"]
    assert result["quality"]["frames_with_climber"] >= 0.95 * result["video"]["frame_count"]
