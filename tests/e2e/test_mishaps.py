"""Messages that come twice, processes that die, work that never ends."""

import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import Stack
from tests.e2e.phone import PATIENCE_S, Phone
from tests.e2e.test_bad_input import settled


def executions_of(stack: Stack, job_id: str) -> list[str]:
    pages = stack.client("stepfunctions").get_paginator("list_executions")
    found = [page["executions"] for page in pages.paginate(stateMachineArn=stack.state_machine_arn)]
    return [execution["status"] for page in found for execution in page if execution["name"] == job_id]


def upload_event(stack: Stack, key: str, size: int) -> str:
    """The message that S3 sends when an object arrives."""
    stored = {"key": key, "size": size}
    record = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": stack.bucket}}}
    return json.dumps({"Records": [record | {"s3": record["s3"] | {"object": stored}}]})  # type: ignore[operator]


def process_of(stack: Stack, *settings: str) -> int:
    """The stack's process whose environment holds all of the settings (``NAME=value``), once there is one."""
    wanted = {f"AWS_ENDPOINT_URL={stack.aws_endpoint_url}".encode(), *(setting.encode() for setting in settings)}
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and wanted <= set((entry / "environ").read_bytes().split(b"\0")):
                    return int(entry.name)
            except OSError:
                continue
        time.sleep(0.05)
    raise AssertionError(f"no process with {settings}")


def worker_of(stack: Stack) -> int:
    """The worker's process."""
    return process_of(stack, "WORKFLOW_FUNCTION=ascension-local-workflow")


needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc, which only Linux has")


def test_the_same_upload_event_five_times_is_one_execution_and_one_analysis(
    stack: Stack, phone: Phone, climb: Path
) -> None:
    announced = phone.request_upload(climb, start={"options": {}})
    phone.upload(climb, announced["upload"])
    (video,) = stack.rows("SELECT object_key FROM videos WHERE id = %s", announced["video_id"])
    message = upload_event(stack, video["object_key"], climb.stat().st_size)
    for _ in range(5):
        stack.client("sqs").send_message(QueueUrl=stack.upload_queue_url, MessageBody=message)
    assert phone.wait(announced["job_id"])["status"] == "completed"
    stack.client("sqs").send_message(QueueUrl=stack.upload_queue_url, MessageBody=message)
    assert settled(stack)
    assert executions_of(stack, announced["job_id"]) == ["SUCCEEDED"]
    assert len(stack.rows("SELECT id FROM analyses WHERE video_id = %s", announced["video_id"])) == 1


def test_a_message_that_makes_no_sense_keeps_no_other_from_being_handled(
    stack: Stack, phone: Phone, climb: Path
) -> None:
    test_event = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": stack.bucket})
    unknown = upload_event(stack, "uploads/nobody/knows.mp4", 1)
    for body in (test_event, unknown):
        stack.client("sqs").send_message(QueueUrl=stack.upload_queue_url, MessageBody=body)
    assert phone.wait(phone.analyse(climb))["status"] == "completed"
    assert settled(stack)


@needs_proc
def test_a_worker_killed_in_the_middle_of_an_analysis_loses_nothing(stack: Stack, phone: Phone, climb: Path) -> None:
    with phone.listening() as listener:
        job_id = phone.analyse(climb)
        listener.wait_for(job_id, "analysis:progress")
        os.kill(worker_of(stack), signal.SIGKILL)
        listener.wait_for(job_id, "analysis:completed")
    assert phone.job(job_id)["status"] == "completed"


def test_one_worker_serves_one_analysis_after_another(stack: Stack, phone: Phone, climb: Path) -> None:
    phone.wait(phone.analyse(climb))
    first = worker_of(stack)
    phone.wait(phone.analyse(climb))
    assert worker_of(stack) == first


@needs_proc
def test_a_workflow_function_killed_once_still_completes(stack: Stack, phone: Phone, climb: Path) -> None:
    job_id = phone.analyse(climb)
    phone.wait(job_id, "processing")
    os.kill(process_of(stack, "AWS_LAMBDA_FUNCTION_NAME=ascension-local-workflow"), signal.SIGKILL)
    assert phone.wait(job_id)["status"] == "completed"


@needs_proc
def test_an_analysis_that_never_ends_is_failed_with_a_reason(stack: Stack, phone: Phone, climb: Path) -> None:
    phone.wait(phone.analyse(climb))
    worker = worker_of(stack)
    os.kill(worker, signal.SIGSTOP)
    announced = phone.request_upload(climb)
    job_id = phone.post("analysis/start", 202, video_id=announced["video_id"])["job_id"]
    (row,) = stack.rows("SELECT object_key, user_id FROM videos WHERE id = %s", announced["video_id"])
    stack.client("s3").upload_file(str(climb), stack.bucket, row["object_key"].replace("uploads/", "elsewhere/"))
    execution_input = {
        "job_id": job_id,
        "correction_id": None,
        "user_id": str(row["user_id"]),
        "video_key": row["object_key"].replace("uploads/", "elsewhere/"),
        "result_prefix": f"results/{row['user_id']}/{job_id}/",
        "options_json": "{}",
        "timeout_seconds": 6,
        "heartbeat_seconds": 5,
    }
    stack.rows(
        "UPDATE videos SET uploaded_at = now(), size_bytes = 1 WHERE id = %s RETURNING id", announced["video_id"]
    )
    stack.client("stepfunctions").start_execution(
        stateMachineArn=stack.state_machine_arn, name=job_id, input=json.dumps(execution_input)
    )
    job = phone.wait(job_id)
    os.kill(worker, signal.SIGKILL)
    assert (job["status"], job["error"]["type"]) == ("failed", "timed-out")
    assert executions_of(stack, job_id) == ["FAILED"]
    assert phone.wait(phone.analyse(climb))["status"] == "completed", "a new worker takes over"


@needs_proc
def test_an_execution_stopped_by_an_operator_does_not_leave_the_analysis_running(
    stack: Stack, phone: Phone, climb: Path
) -> None:
    phone.wait(phone.analyse(climb))
    worker = worker_of(stack)
    os.kill(worker, signal.SIGSTOP)
    job_id = phone.analyse(climb)
    phone.wait(job_id, "processing")
    arn = stack.state_machine_arn.replace(":stateMachine:", ":execution:") + f":{job_id}"
    stack.client("stepfunctions").stop_execution(executionArn=arn)
    os.kill(worker, signal.SIGCONT)
    # The janitor comes every minute and leaves alone what gave a sign of life in the last half.
    job = phone.wait(job_id)
    assert (job["status"], job["error"]["type"]) == ("failed", "interrupted")
