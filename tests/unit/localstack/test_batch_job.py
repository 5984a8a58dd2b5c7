"""A Batch job as processes: states, attempts, retry rules, time-outs and termination in AWS's words."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ascension_local.batch_job import FAILED, RUNNABLE, RUNNING, SUCCEEDED, Host, Job, Line, Machine

MakeJob = Callable[..., Job]

# A Spot interruption is retried, all else is left to the state machine: the rules of template.yaml.
SPOT_ONLY = [{"onStatusReason": "Host EC2*", "action": "RETRY"}, {"onReason": "*", "action": "EXIT"}]


@pytest.fixture
def published() -> list[tuple[str, str, str]]:
    """What jobs have printed: log group, log stream, line."""
    return []


@pytest.fixture
def make_job(tmp_path: Path, published: list[tuple[str, str, str]]) -> MakeJob:
    """A job that runs Python code; `submitted` overrides what SubmitJob is asked, the rest the definition."""

    def publish(group: str, stream: str, lines: list[Line]) -> None:
        published.extend((group, stream, text) for _, text in lines)

    def make_job(code: str, submitted: dict[str, Any] | None = None, **definition: Any) -> Job:
        container = {"command": ["python", "-c", code], **definition.pop("containerProperties", {})}
        return Job(
            submitted={"jobName": "climb", **(submitted or {})},
            definition={
                "jobDefinitionName": "analysis",
                "jobDefinitionArn": "arn:aws:batch:eu-west-1:1:job-definition/analysis:1",
                "containerProperties": container,
                **definition,
            },
            arn_prefix="arn:aws:batch:eu-west-1:1",
            queue_arn="arn:aws:batch:eu-west-1:1:job-queue/gpu",
            queue_name="gpu",
            host=Host(
                directory=tmp_path,
                environment={"PATH": f"{Path(sys.executable).parent}:{os.defpath}"},
                logs=tmp_path / "logs",
                stop_seconds=1.0,
                publish=publish,  # type: ignore[arg-type]
            ),
        )

    return make_job


def run(job: Job) -> Job:
    Machine(slots=1).submit(job)
    assert job.wait(60)
    return job


def wait_for_file(path: Path) -> str:
    while not (path.exists() and path.read_text()):
        pass
    return path.read_text()


def test_a_job_that_exits_0_succeeds(make_job: MakeJob) -> None:
    described = run(make_job("")).described()
    assert described["status"] == SUCCEEDED
    assert described["statusReason"] == "Essential container in task exited"
    assert described["container"]["exitCode"] == 0
    assert described["createdAt"] <= described["startedAt"] <= described["stoppedAt"]
    assert len(described["attempts"]) == 1


def test_a_job_that_exits_otherwise_fails_with_its_exit_code(make_job: MakeJob) -> None:
    described = run(make_job("raise SystemExit(3)")).described()
    assert described["status"] == FAILED
    assert described["attempts"][0]["container"]["exitCode"] == 3
    assert described["attempts"][0]["statusReason"] == "Essential container in task exited"


def test_a_job_killed_by_a_signal_has_the_exit_code_docker_gives(make_job: MakeJob) -> None:
    described = run(make_job("import os; os.kill(os.getpid(), 9)")).described()
    assert described["status"] == FAILED
    assert described["container"]["exitCode"] == 137


def test_a_failing_job_is_tried_as_often_as_its_retry_strategy_says(make_job: MakeJob, tmp_path: Path) -> None:
    code = "import os; open('tries', 'a').write(os.environ['AWS_BATCH_JOB_ATTEMPT']); raise SystemExit(1)"
    job = run(make_job(code, retryStrategy={"attempts": 3}))
    assert (tmp_path / "tries").read_text() == "123"
    assert job.status == FAILED
    assert len(job.attempts) == 3


def test_a_job_that_succeeds_when_tried_again_has_succeeded(make_job: MakeJob) -> None:
    code = "import os; raise SystemExit(os.environ['AWS_BATCH_JOB_ATTEMPT'] == '1')"
    job = run(make_job(code, retryStrategy={"attempts": 3}))
    assert job.status == SUCCEEDED
    assert [attempt.exit_code for attempt in job.attempts] == [1, 0]


@pytest.mark.parametrize(
    ("rules", "attempts"),
    [
        (SPOT_ONLY, 1),
        ([{"onExitCode": "7", "action": "EXIT"}], 1),
        ([{"onExitCode": "7", "action": "retry"}, {"onReason": "*", "action": "EXIT"}], 3),
        ([{"onExitCode": "8", "action": "EXIT"}], 3),  # what no rule matches is retried
        ([{"onExitCode": "7", "onStatusReason": "Host EC2*", "action": "EXIT"}], 3),  # all conditions must hold
        ([{"onStatusReason": "essential container*", "action": "EXIT"}], 1),  # case does not matter
    ],
)
def test_the_first_rule_that_matches_decides_whether_a_job_is_tried_again(
    make_job: MakeJob, rules: list[dict[str, str]], attempts: int
) -> None:
    job = run(make_job("raise SystemExit(7)", retryStrategy={"attempts": 3, "evaluateOnExit": rules}))
    assert len(job.attempts) == attempts


def test_an_attempt_that_takes_too_long_is_stopped_and_not_retried(make_job: MakeJob) -> None:
    job = make_job(
        "import time; time.sleep(60)", {"timeout": {"attemptDurationSeconds": 0.5}}, retryStrategy={"attempts": 3}
    )
    described = run(job).described()
    assert described["status"] == FAILED
    assert described["statusReason"] == "Job attempt duration exceeded timeout"
    assert len(described["attempts"]) == 1


def test_terminating_a_job_ends_the_whole_process_group(make_job: MakeJob, tmp_path: Path) -> None:
    # Neither the parent nor its child cares about being asked to stop.
    code = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open("pids", "w").write(f"{os.getpid()} {child.pid}")
time.sleep(60)
"""
    job = make_job(code, retryStrategy={"attempts": 3})
    Machine(slots=1).submit(job)
    pids = [int(pid) for pid in wait_for_file(tmp_path / "pids").split()]
    assert job.status == RUNNING
    job.terminate("not wanted any more")
    assert job.wait(60)
    assert job.status == FAILED
    assert job.status_reason == "not wanted any more"
    assert len(job.attempts) == 1
    for pid in pids:
        assert not is_running(pid)


def is_running(pid: int) -> bool:
    """False for zombies too: an orphan stays one where nobody reaps."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_job_waits_until_the_machine_is_free_and_can_be_cancelled_meanwhile(
    make_job: MakeJob, tmp_path: Path
) -> None:
    machine = Machine(slots=1)
    first = make_job("import time; open('started', 'w').write('x'); time.sleep(60)")
    machine.submit(first)
    wait_for_file(tmp_path / "started")
    second = make_job("")
    machine.submit(second)
    while second.status != RUNNABLE:
        pass
    second.cancel("changed my mind")
    assert second.wait(60)
    assert (second.status, second.status_reason, second.attempts) == (FAILED, "changed my mind", [])
    first.cancel("too late: it runs")
    assert first.status == RUNNING
    first.terminate("over")
    assert first.wait(60)


def test_the_machine_runs_no_more_jobs_at_a_time_than_it_has_slots(make_job: MakeJob, tmp_path: Path) -> None:
    code = """
import os, time
os.mkdir("busy")  # fails while another job is in here
time.sleep(0.1)
os.rmdir("busy")
"""
    machine = Machine(slots=1)
    jobs = [make_job(code) for _ in range(4)]
    for job in jobs:
        machine.submit(job)
    for job in jobs:
        assert job.wait(60)
    assert [job.status for job in jobs] == [SUCCEEDED] * 4


def test_environment_and_command_are_the_definitions_overridden_by_the_submission(
    make_job: MakeJob, tmp_path: Path
) -> None:
    code = """
import os, sys
names = ("KEPT", "CHANGED", "AWS_BATCH_JQ_NAME")
open("out", "w").write(" ".join([*sys.argv[1:], *(os.environ[name] for name in names)]))
"""
    job = make_job(
        "",
        {
            "parameters": {"climber": "Ada"},
            "containerOverrides": {
                "command": ["python", "-c", code, "Ref::climber", "Ref::grade", "Ref::unknown"],
                "environment": [{"name": "CHANGED", "value": "new"}],
            },
        },
        parameters={"climber": "Bob", "grade": "7a"},
        containerProperties={"environment": [{"name": "KEPT", "value": "kept"}, {"name": "CHANGED", "value": "old"}]},
    )
    run(job)
    assert (tmp_path / "out").read_text() == "Ada 7a Ref::unknown kept new gpu"


def test_a_job_sees_nothing_of_the_emulators_environment(
    make_job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_EMULATOR", "x")
    run(make_job("import os; open('out', 'w').write(' '.join(os.environ))"))
    assert "SECRET_OF_THE_EMULATOR" not in (tmp_path / "out").read_text()


def test_a_program_that_is_not_there_is_told_as_a_container_that_cannot_start(make_job: MakeJob) -> None:
    job = run(make_job("", {"containerOverrides": {"command": ["no-such-program"]}}))
    described = job.described()
    assert described["status"] == FAILED
    assert described["statusReason"] == "Task failed to start"
    assert described["container"]["reason"].startswith("CannotStartContainerError")


def test_what_a_job_prints_goes_to_its_log_file_and_to_the_log_group_of_its_definition(
    make_job: MakeJob, tmp_path: Path, published: list[tuple[str, str, str]]
) -> None:
    options = {"awslogs-group": "/ascension/worker", "awslogs-stream-prefix": "climb"}
    job = run(make_job("print('on the wall')", containerProperties={"logConfiguration": {"options": options}}))
    assert (tmp_path / "logs" / f"{job.id}.log").read_text() == "on the wall\n"
    [(group, stream, line)] = published
    assert (group, line) == ("/ascension/worker", "on the wall")
    assert stream.startswith("climb/default/")
    assert job.described()["container"]["logStreamName"] == stream


def test_a_job_can_be_terminated_from_several_threads_at_once(make_job: MakeJob, tmp_path: Path) -> None:
    job = make_job("import time; open('started', 'w').write('x'); time.sleep(60)")
    Machine(slots=1).submit(job)
    wait_for_file(tmp_path / "started")
    threads = [threading.Thread(target=job.terminate, args=("enough",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert job.wait(60)
    assert job.status_reason == "enough"


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="processes cannot be stopped here")
def test_a_stopped_process_is_terminated_at_once(make_job: MakeJob, tmp_path: Path) -> None:
    job = make_job("import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(60)")
    Machine(slots=1).submit(job)
    pid = int(wait_for_file(tmp_path / "pid"))
    os.kill(pid, signal.SIGSTOP)
    job.terminate("out of time")
    assert job.wait(60)
    assert job.attempts[0].exit_code == 128 + signal.SIGTERM
