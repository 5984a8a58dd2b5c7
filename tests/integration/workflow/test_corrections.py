"""A correction of holds from the request to its end: whatever happens on the way, the result that was there stays."""

import gzip
import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from ascension.accounts.user import User
from ascension.analyses import corrections, lifecycle, service
from ascension.analyses.problems import AnalysisNotCompleted, AnalysisNotFound, CorrectionRunning, InvalidCorrection
from ascension.database import every, one, transaction
from ascension.settings import aws_client, settings

from tests.functions import invoke
from tests.integration.workflow.conftest import BUCKET, Climb
from tests.integration.workflow.test_ingest import deliver, upload_event
from tests.integration.workflow.test_janitor import clean
from tests.integration.workflow.test_turns import Session, forget, session
from tests.integration.workflow.test_workers import waiting
from tests.integration.workflow.test_workflow import OUTCOME, RESULT, step

pytestmark = pytest.mark.postgres

CHANGES: list[dict[str, Any]] = [{"action": "delete", "hold_id": 3}]
CORRECTED = {"schema": "ascension.analysis/1", "revision": 1}
FAILURE = {"Error": "WorkerDied", "Cause": "3 workers ended in the middle of it"}


def owner_of(climb: Climb) -> User:
    with transaction() as tx:
        row = one(tx, "SELECT id, email, subscription_tier, created_at FROM users WHERE id = %s", climb.user_id)
    assert row is not None
    return User(**row)


@dataclass
class Corrected:
    """A climb with a correction at work."""

    climb: Climb
    correction_id: UUID
    before: dict[str, Any]

    @property
    def row(self) -> dict[str, Any]:
        with transaction() as tx:
            row = one(tx, "SELECT * FROM corrections WHERE id = %s", self.correction_id)
        assert row is not None
        return row

    @property
    def execution(self) -> dict[str, Any]:
        answer = aws_client("stepfunctions").describe_execution(
            executionArn=lifecycle.execution_arn(self.correction_id)
        )
        told: dict[str, Any] = json.loads(answer["input"])
        return told

    def step(self, task: str, **members: Any) -> Any:
        return step(self.climb, task, correction_id=str(self.correction_id), **members)

    def carry_out(self) -> None:
        self.step("begin")
        self.climb.put_outcome(OUTCOME | {"metrics": {"immobility": 0.5}}, CORRECTED, self.row["folder"])
        self.step("complete")

    @property
    def unchanged(self) -> bool:
        """Whether the analysis is again what it was before, but for the error."""
        told = {"error", "heartbeat_at", "dispatched_at", "revision"}
        kept = {name: value for name, value in self.climb.row.items() if name not in told}
        return kept == {name: value for name, value in self.before.items() if name not in told}


def analysed(climb: Climb) -> Climb:
    deliver(upload_event(climb.key))
    step(climb, "begin")
    climb.put_outcome(OUTCOME, RESULT)
    step(climb, "complete")
    return climb


def correct(climb: Climb) -> Corrected:
    before = climb.row
    corrections.correct(owner_of(climb), climb.job_id, CHANGES)
    return Corrected(climb, climb.row["correction_id"], before)


@pytest.fixture
def done(climb: Climb) -> Climb:
    """A completed analysis."""
    return analysed(climb)


def test_a_correction_has_an_execution_of_its_own_and_the_owner_sees_it_processed(done: Climb) -> None:
    asked = corrections.correct(owner_of(done), done.job_id, CHANGES)
    assert (asked.job_id, asked.status, asked.revision) == (done.job_id, "processing", 1)
    correction = Corrected(done, done.row["correction_id"], {})
    assert correction.execution["job_id"] == str(done.job_id)
    assert correction.execution["correction_id"] == str(correction.correction_id)
    assert correction.execution["result_prefix"].endswith(f"/{done.job_id}/{correction.row['folder']}")
    shown, _ = service.find(owner_of(done), done.job_id)
    assert shown["status"] == "processing"


def test_the_worker_is_told_the_changes_and_where_to_start(done: Climb) -> None:
    correction = correct(done)
    correction.step("begin")
    correction.step("hand_over", task_token="the token", work={"job_id": str(done.job_id)})
    (message,) = waiting(settings().work_queue_url)
    assert message["changes"] == CHANGES
    assert message["correction_id"] == str(correction.correction_id)
    assert message["kept_key"] == f"results/{done.user_id}/{done.job_id}/working.npz"
    assert "models" not in message


def test_a_correction_that_succeeds_is_the_next_revision_with_its_own_metrics(done: Climb) -> None:
    correction = correct(done)
    correction.carry_out()
    row = done.row
    assert (row["status"], row["revision"], row["correction_id"], row["error"]) == ("completed", 1, None, None)
    assert json.loads(gzip.decompress(row["result"])) == CORRECTED
    assert row["result_etag"] != correction.before["result_etag"]
    assert row["result_folder"] == correction.row["folder"]
    assert correction.row["status"] == "completed"
    with transaction() as tx:
        metrics = every(tx, "SELECT name, value FROM analysis_metrics WHERE analysis_id = %s", done.job_id)
    assert metrics == [{"name": "immobility", "value": 0.5}]
    assert done.video["thumbnail_key"].endswith(f"/{done.job_id}/thumbnail.jpg"), "the picture is the same"


def test_the_next_correction_starts_from_the_last_one(done: Climb) -> None:
    first = correct(done)
    first.carry_out()
    second = correct(done)
    second.step("hand_over", task_token="the token", work={"job_id": str(done.job_id)})
    (message,) = waiting(settings().work_queue_url)
    assert message["kept_key"].endswith(f"/{done.job_id}/{first.row['folder']}working.npz")
    second.carry_out()
    assert done.row["revision"] == 2


def test_a_correction_that_cannot_be_carried_out_leaves_the_analysis_as_it_was_and_says_why(done: Climb) -> None:
    correction = correct(done)
    correction.step("begin")
    problem = {"type": "invalid-correction", "title": "No", "detail": "Change 1: there is no hold 3."}
    done.put_outcome({"status": "failed", "problem": problem}, folder=correction.row["folder"])
    correction.step("complete")
    assert correction.unchanged
    assert (done.row["revision"], done.row["error"]) == (0, problem)
    again = correct(done)
    assert done.row["error"] is None
    again.carry_out()
    assert done.row["revision"] == 1, "the one that failed is none"


def test_a_correction_that_workers_die_of_leaves_the_analysis_as_it_was(done: Climb) -> None:
    correction = correct(done)
    correction.step("begin")
    correction.step("progress", stage="measuring", fraction=0.4)
    correction.step("fail", error=FAILURE)
    assert correction.unchanged
    assert done.row["error"]["type"] == "interrupted"
    correction.step("fail", error=FAILURE)
    assert correction.unchanged, "said twice"


def test_every_step_may_come_twice_or_late(done: Climb) -> None:
    correction = correct(done)
    assert correction.step("begin") == {"proceed": True}
    assert correction.step("begin") == {"proceed": True}
    # Of the analysis's own execution, which is over.
    assert step(done, "begin") == {"proceed": False}
    step(done, "progress", stage="pose", fraction=0.9)
    step(done, "fail", error=FAILURE)
    step(done, "complete")
    assert (done.row["status"], done.row["fraction"]) == ("processing", 0)
    correction.carry_out()
    before = done.row
    correction.step("complete")
    correction.step("progress", stage="measuring", fraction=0.9)
    correction.step("fail", error=FAILURE)
    assert correction.step("begin") == {"proceed": False}
    assert done.row == before


def test_one_correction_at_a_time_of_a_completed_analysis_of_ones_own(climb: Climb) -> None:
    user = owner_of(climb)
    with pytest.raises(AnalysisNotCompleted):
        corrections.correct(user, climb.job_id, CHANGES)
    with pytest.raises(AnalysisNotFound):
        corrections.correct(user, uuid4(), CHANGES)
    analysed(climb)
    correct(climb)
    with pytest.raises(CorrectionRunning):
        corrections.correct(user, climb.job_id, CHANGES)


@pytest.mark.parametrize(
    "change",
    [
        {"action": "add", "box": [0.5, 0.1, 0.4, 0.2]},
        {"action": "move", "hold_id": 1, "box": [0.1, 0.2, 0.4, 0.2]},
        {"action": "retype", "hold_id": 1, "type": "jug", "kind": "volume"},
        {"action": "add", "box": [0.1, 0.1, 0.2, 0.2], "type": "volume", "kind": "hold"},
    ],
    ids=str,
)
def test_what_can_be_seen_to_be_wrong_without_the_holds_is_refused_at_once(done: Climb, change: dict[str, Any]) -> None:
    with pytest.raises(InvalidCorrection, match="Change 2"):
        corrections.correct(owner_of(done), done.job_id, [*CHANGES, change])
    assert done.row["status"] == "completed"


def test_starting_the_same_analysis_again_while_it_is_corrected_gives_the_same_job(done: Climb) -> None:
    with transaction() as tx:
        tx.execute("UPDATE analyses SET options_hash = 'x' WHERE id = %s", (done.job_id,))
    correct(done)
    with transaction() as tx:
        found = one(tx, "SELECT id FROM analyses WHERE video_id = %s", done.video_id)
    assert found == {"id": done.job_id}
    assert [row["status"] for row, _ in service.page(owner_of(done), None, 5)[0]] == ["processing"]


def test_the_janitor_starts_a_correction_that_nobody_started(done: Climb, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(lifecycle, "dispatch", lambda job_id: None)
        correction = correct(done)
    with pytest.raises(aws_client("stepfunctions").exceptions.ExecutionDoesNotExist):
        _ = correction.execution
    done.age(created_at="2 minutes")
    done.age_video(uploaded_at="1 minute")
    clean()
    assert correction.execution["correction_id"] == str(correction.correction_id)


def test_the_janitor_ends_a_correction_whose_execution_is_gone(done: Climb) -> None:
    correction = correct(done)
    correction.step("begin")
    aws_client("stepfunctions").stop_execution(executionArn=lifecycle.execution_arn(correction.correction_id))
    done.age(heartbeat_at="1 minute")
    clean()
    assert correction.unchanged
    assert done.row["error"]["type"] == "interrupted"


def test_a_correction_past_its_deadline_ends_though_its_analysis_began_long_ago(done: Climb) -> None:
    correction = correct(done)
    correction.step("begin")
    done.age(started_at="2 days", heartbeat_at="1 minute")
    clean()
    assert done.row["status"] == "processing", "it has only just begun"
    with transaction() as tx:
        tx.execute("UPDATE corrections SET started_at = now() - interval '12 minutes'")
    clean()
    assert (done.row["status"], done.row["error"]["type"]) == ("completed", "timed-out")


def test_files_of_what_others_have_taken_the_place_of_go_after_an_hour(done: Climb) -> None:
    corrected = [correct(done)]
    corrected[0].carry_out()
    corrected.append(correct(done))
    corrected[1].carry_out()

    def folders() -> set[str]:
        listed = aws_client("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"results/{done.user_id}/")
        return {item["Key"].rpartition("/")[0].rpartition("/")[2] + "/" for item in listed["Contents"]}

    def age(number: int) -> None:
        with transaction() as tx:
            query = "UPDATE corrections SET ended_at = now() - interval '2 hours' WHERE id = %s"
            tx.execute(query, (corrected[number].correction_id,))

    first, second, base = corrected[0].row["folder"], corrected[1].row["folder"], f"{done.job_id}/"
    age(0)
    clean()
    assert folders() == {base, first, second}, "it was replaced only just now"
    age(1)
    assert clean()["revisions_removed"] >= 1
    assert folders() == {base, second}
    assert clean()["revisions_removed"] == 0


@pytest.fixture
def evening(cloud: None) -> Any:
    made = session(5)
    yield made
    forget(made)


def test_corrections_take_their_turn_like_analyses(evening: Session) -> None:
    corrected, others = evening.climbs[0], evening.climbs[1:]
    evening.upload(0)
    evening.finish(0)
    evening.upload(1, 2, 3, 4)
    assert evening.started == [0, 1, 2, 3]
    correction = correct(corrected)
    assert service.find(owner_of(corrected), corrected.job_id)[0]["status"] == "processing"
    assert corrected.row["dispatched_at"] is None
    evening.finish(1)
    assert correction.execution, "the oldest of those that wait"
    assert others[3].executions == []
    correction.carry_out()
    assert len(others[3].executions) == 1


def test_deleting_the_video_ends_its_correction(done: Climb) -> None:
    from ascension.videos import service as videos

    correction = correct(done)
    arn = lifecycle.execution_arn(correction.correction_id)
    videos.delete(owner_of(done), done.video_id)
    assert aws_client("stepfunctions").describe_execution(executionArn=arn)["status"] == "ABORTED"
    assert "Contents" not in aws_client("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"results/{done.user_id}/")
    assert correction.step("complete") == {}
    assert correction.step("fail", error=FAILURE) == {}


def test_a_worker_that_reports_without_naming_a_correction_speaks_of_the_analysis(climb: Climb) -> None:
    deliver(upload_event(climb.key))
    step(climb, "begin")
    invoke("workflow", {"task": "progress", "job_id": str(climb.job_id), "stage": "pose", "fraction": 0.2})
    assert climb.row["fraction"] == 0.2
