"""Upload events from the queue."""

import json
from typing import Any

from ascension.settings import settings

from tests.functions import invoke
from tests.integration.workflow.conftest import Climb


def message(number: int, body: str) -> dict[str, Any]:
    return {"messageId": f"message-{number}", "body": body, "eventSource": "aws:sqs", "attributes": {}}


def upload_event(key: str, size: int = 1000) -> str:
    return json.dumps({"Records": [{"s3": {"bucket": {"name": "videos"}, "object": {"key": key, "size": size}}}]})


def deliver(*bodies: str) -> list[str]:
    """Hand messages to the function. Returns those that go back to the queue."""
    answer = invoke("ingest", {"Records": [message(number, body) for number, body in enumerate(bodies)]})
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_an_uploaded_video_starts_its_waiting_analysis_under_the_job_s_own_name(climb: Climb) -> None:
    assert deliver(upload_event(climb.key)) == []
    assert len(climb.executions) == 1
    assert climb.video["uploaded_at"] is not None
    assert climb.video["size_bytes"] == 1000


def test_the_same_event_five_times_starts_one_execution(climb: Climb) -> None:
    assert deliver(*[upload_event(climb.key)] * 3) == []
    assert deliver(*[upload_event(climb.key)] * 2) == []
    assert len(climb.executions) == 1


def test_a_video_without_an_analysis_starts_nothing_but_is_remembered(climb: Climb) -> None:
    climb.age(completed_at="1 second")
    with_analysis_failed(climb)
    assert deliver(upload_event(climb.key)) == []
    assert climb.executions == []
    assert climb.video["uploaded_at"] is not None


def with_analysis_failed(climb: Climb) -> None:
    failure = {"Error": "States.TaskFailed", "Cause": ""}
    invoke("workflow", {"task": "fail", "job_id": str(climb.job_id), "error": failure})


def test_s3_s_test_event_and_objects_nobody_announced_are_no_errors(climb: Climb) -> None:
    assert deliver(json.dumps({"Event": "s3:TestEvent"}), upload_event("uploads/who/knows.mp4")) == []


def test_a_message_that_cannot_be_handled_goes_back_alone(climb: Climb) -> None:
    assert deliver("not json", upload_event(climb.key), '{"no": "records"}') == ["message-0", "message-2"]
    assert len(climb.executions) == 1


def test_keys_are_decoded_as_s3_encodes_them(climb: Climb) -> None:
    assert deliver(upload_event(climb.key.replace("-", "%2D"))) == []
    assert len(climb.executions) == 1


def test_an_execution_knows_where_its_video_and_its_results_are(climb: Climb) -> None:
    from ascension.settings import aws_client

    deliver(upload_event(climb.key))
    states = aws_client("stepfunctions")
    (execution,) = [
        e
        for e in states.list_executions(stateMachineArn=settings().state_machine_arn)["executions"]
        if e["name"] == str(climb.job_id)
    ]
    described = json.loads(states.describe_execution(executionArn=execution["executionArn"])["input"])
    assert described == {
        "job_id": str(climb.job_id),
        "correction_id": None,
        "user_id": str(climb.user_id),
        "video_key": climb.key,
        "result_prefix": f"results/{climb.user_id}/{climb.job_id}/",
        "options_json": "{}",
        "timeout_seconds": 600,
        "heartbeat_seconds": 599,
    }
