"""The state machine's own steps: each may run twice, late, or after the job is over."""

import gzip
import json
from typing import Any
from uuid import uuid4

import pytest
from ascension.database import every, transaction

from tests.functions import invoke
from tests.integration.workflow.conftest import Batch, Climb
from tests.integration.workflow.test_ingest import deliver, upload_event

OUTCOME: dict[str, Any] = {
    "status": "completed",
    "processing_time_ms": 900,
    "video": {"width": 1080, "height": 1920, "fps": 30.0, "frame_count": 90, "duration_s": 3.0},
    "metrics": {"max_reach_cm": None, "immobility": 0.25},
    "metrics_info": {"max_reach_cm": {"reason": "no scale"}, "immobility": {"unit": "1", "uncertainty": 0.05}},
}
RESULT = {"schema": "ascension.analysis/1"}


def step(climb: Climb, task: str, **members: Any) -> Any:
    return invoke("workflow", {"task": task, "job_id": str(climb.job_id), **members})


@pytest.fixture
def running(climb: Climb) -> Climb:
    """An uploaded video whose analysis has begun."""
    deliver(upload_event(climb.key))
    assert step(climb, "begin") == {"proceed": True}
    return climb


def test_begin_marks_the_analysis_as_processing(running: Climb) -> None:
    assert running.row["status"] == "processing"
    assert running.row["started_at"] is not None


def test_begin_twice_goes_on_with_the_same_start(running: Climb) -> None:
    started = running.row["started_at"]
    assert step(running, "begin") == {"proceed": True}
    assert running.row["started_at"] == started


@pytest.mark.parametrize(("size", "problem"), [(0, "empty-file"), (1001, "larger-than-announced")])
def test_an_upload_of_the_wrong_size_fails_before_a_job_is_submitted(climb: Climb, size: int, problem: str) -> None:
    deliver(upload_event(climb.key, size))
    assert step(climb, "begin") == {"proceed": False}
    assert climb.row["status"] == "failed"
    assert climb.row["error"]["type"] == problem


def test_progress_grows_and_never_shrinks(running: Climb) -> None:
    for fraction in (0.2, 0.5, 0.3):
        step(running, "progress", stage="pose", fraction=fraction)
    assert (running.row["stage"], running.row["fraction"]) == ("pose", 0.5)


def test_result_metrics_and_video_facts_are_stored_together(running: Climb) -> None:
    running.put_outcome(OUTCOME, RESULT)
    step(running, "complete")
    row = running.row
    assert (row["status"], row["stage"], row["fraction"]) == ("completed", "completed", 1.0)
    assert json.loads(gzip.decompress(row["result"])) == RESULT
    assert row["result_etag"]
    assert row["processing_time_ms"] >= 0
    assert running.video["width"] == 1080
    with transaction() as tx:
        rows = every(tx, "SELECT * FROM analysis_metrics WHERE analysis_id = %s ORDER BY name", running.job_id)
    assert [(r["name"], r["value"], r["reason"]) for r in rows] == [
        ("immobility", 0.25, None),
        ("max_reach_cm", None, "no scale"),
    ]


def test_completing_twice_changes_nothing(running: Climb) -> None:
    running.put_outcome(OUTCOME, RESULT)
    step(running, "complete")
    before = running.row
    step(running, "complete")
    assert running.row == before


def test_a_metric_without_value_or_reason_is_refused_and_nothing_is_stored(running: Climb) -> None:
    running.put_outcome(OUTCOME | {"metrics_info": {}}, RESULT)
    with pytest.raises(Exception, match="analysis_metrics"):
        step(running, "complete")
    assert running.row["status"] == "processing"
    assert running.row["result"] is None


def test_a_problem_the_worker_found_becomes_the_analysis_s_error(running: Climb) -> None:
    problem = {"type": "no-climber", "title": "Nobody is climbing", "detail": "Nobody was seen."}
    running.put_outcome({"status": "failed", "problem": problem})
    step(running, "complete")
    assert running.row["status"] == "failed"
    assert running.row["error"] == problem


@pytest.mark.parametrize(("caught", "problem"), [("States.Timeout", "timed-out"), ("States.TaskFailed", "interrupted")])
def test_what_the_state_machine_caught_becomes_a_reason(running: Climb, caught: str, problem: str) -> None:
    step(running, "fail", error={"Error": caught, "Cause": "exit code 137 on ip-10-42-0-1"})
    assert running.row["error"]["type"] == problem
    assert "137" not in json.dumps(running.row["error"])


def test_a_job_that_is_over_stays_as_it_is_whatever_comes_late(running: Climb) -> None:
    running.put_outcome(OUTCOME, RESULT)
    step(running, "complete")
    before = running.row
    assert step(running, "begin") == {"proceed": False}
    step(running, "progress", stage="pose", fraction=0.9)
    step(running, "fail", error={"Error": "States.Timeout", "Cause": ""})
    assert running.row == before


def test_steps_of_a_job_that_was_deleted_end_quietly(cloud: Batch) -> None:
    ghost = Climb(uuid4(), uuid4(), uuid4(), "")
    assert step(ghost, "begin") == {"proceed": False}
    assert step(ghost, "complete") == {}
    assert step(ghost, "fail", error={"Error": "States.Timeout", "Cause": ""}) == {}
