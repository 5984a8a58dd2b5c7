"""What got lost is found again; what is past its time goes."""

import pytest
from ascension.database import one, transaction
from ascension.settings import aws_client, settings
from botocore.exceptions import ClientError

from tests.functions import invoke
from tests.integration.workflow.conftest import BUCKET, Climb
from tests.integration.workflow.test_ingest import deliver, upload_event
from tests.integration.workflow.test_workflow import OUTCOME, RESULT, step


def clean() -> dict[str, int]:
    done: dict[str, int] = invoke("janitor", {})
    return done


def put_video(climb: Climb) -> None:
    aws_client("s3").put_object(Bucket=BUCKET, Key=climb.key, Body=b"x" * 1000)


def test_a_video_whose_event_never_came_is_found_in_the_bucket(climb: Climb) -> None:
    put_video(climb)
    clean()
    assert climb.executions == [], "it may still come"
    climb.age_video(created_at="2 minutes")
    clean()
    assert len(climb.executions) == 1
    assert climb.video["size_bytes"] == 1000


def test_an_analysis_whose_video_never_comes_fails_after_an_hour(climb: Climb) -> None:
    climb.age(created_at="59 minutes")
    climb.age_video(created_at="59 minutes")
    clean()
    assert climb.row["status"] == "pending"
    climb.age(created_at="61 minutes")
    climb.age_video(created_at="61 minutes")
    clean()
    assert climb.row["error"]["type"] == "upload-missing"


def test_a_job_that_nobody_started_is_started(climb: Climb) -> None:
    climb.age(created_at="2 minutes")
    climb.age_video(uploaded_at="1 minute")
    clean()
    clean()
    assert len(climb.executions) == 1


def test_a_job_whose_execution_ended_before_it_began_is_failed(climb: Climb) -> None:
    deliver(upload_event(climb.key))
    stop(climb)
    climb.age(dispatched_at="4 minutes")
    clean()
    assert climb.row["error"]["type"] == "interrupted"


def stop(climb: Climb) -> None:
    arn = f"{settings().state_machine_arn.replace(':stateMachine:', ':execution:')}:{climb.job_id}"
    aws_client("stepfunctions").stop_execution(executionArn=arn)


def test_a_job_whose_execution_is_gone_is_failed(climb: Climb) -> None:
    deliver(upload_event(climb.key))
    step(climb, "begin")
    stop(climb)
    clean()
    assert climb.row["status"] == "processing", "it was alive a moment ago"
    climb.age(heartbeat_at="1 minute")
    clean()
    assert climb.row["error"]["type"] == "interrupted"


def test_a_job_past_every_deadline_is_stopped_and_failed(climb: Climb) -> None:
    deliver(upload_event(climb.key))
    step(climb, "begin")
    climb.age(heartbeat_at="1 minute", started_at="5 minutes")
    clean()
    assert climb.row["status"] == "processing", "its execution runs and it has time left"
    climb.age(started_at="12 minutes")
    clean()
    assert climb.row["error"]["type"] == "timed-out"
    assert climb.executions == ["ABORTED"]


def test_a_completed_job_is_left_alone(climb: Climb) -> None:
    deliver(upload_event(climb.key))
    step(climb, "begin")
    climb.put_outcome(OUTCOME, RESULT)
    step(climb, "complete")
    climb.age(created_at="2 days", started_at="2 days", heartbeat_at="2 days")
    clean()
    assert climb.row["status"] == "completed"


def test_an_unsaved_video_is_gone_after_its_time_and_its_analysis_stays(climb: Climb) -> None:
    put_video(climb)
    climb.age_video(expires_at="1 second", uploaded_at="1 day")
    climb.age(created_at="1 second")
    clean()
    assert climb.video["removed_at"] is not None
    with pytest.raises(ClientError, match="404"):
        aws_client("s3").head_object(Bucket=BUCKET, Key=climb.key)
    assert climb.row["id"] == climb.job_id


def test_a_saved_video_stays(climb: Climb) -> None:
    put_video(climb)
    climb.age_video(expires_at="1 second", saved_at="1 day", uploaded_at="1 day")
    clean()
    assert climb.video["removed_at"] is None
    aws_client("s3").head_object(Bucket=BUCKET, Key=climb.key)


def test_tickets_and_connections_past_their_time_are_forgotten(climb: Climb) -> None:
    with transaction() as tx:
        for table, key in (("connections", "connection_id"), ("ws_tickets", "ticket_hash")):
            for value, when in (("old", "-1 second"), ("new", "1 hour")):
                query = f"INSERT INTO {table} ({key}, user_id, expires_at) VALUES (%s, %s, now() + %s::interval)"
                tx.execute(query, (f"{climb.user_id}{value}", climb.user_id, when))
    assert clean()["rows_expired"] >= 2
    with transaction() as tx:
        left = one(
            tx,
            "SELECT (SELECT count(*) FROM connections WHERE user_id = %s) AS connections, "
            "(SELECT count(*) FROM ws_tickets WHERE user_id = %s) AS tickets",
            climb.user_id,
            climb.user_id,
        )
    assert left == {"connections": 1, "tickets": 1}
