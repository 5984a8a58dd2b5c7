"""A Batch job that runs as processes: its attempts, exit codes, time-out and termination, told in AWS's words.

Nothing here knows of LocalStack. Fields and messages are those DescribeJobs answers with
(https://docs.aws.amazon.com/batch/latest/APIReference/API_JobDetail.html), so that retry rules written for AWS match.
"""

from __future__ import annotations

import contextlib
import fnmatch
import os
import re
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SUBMITTED, PENDING, RUNNABLE, STARTING, RUNNING = "SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING"
SUCCEEDED, FAILED = "SUCCEEDED", "FAILED"
ENDED = frozenset({SUCCEEDED, FAILED})

CONTAINER_EXITED = "Essential container in task exited"
TIMED_OUT = "Job attempt duration exceeded timeout"
# What ECS gives a container between SIGTERM and SIGKILL.
STOP_SECONDS = 30.0

Line = tuple[int, str]
"""When it was printed, in Unix milliseconds, and the text."""


@dataclass(frozen=True)
class Host:
    """What stands in for the container image and the machine."""

    directory: Path
    environment: Mapping[str, str]
    logs: Path
    stop_seconds: float = STOP_SECONDS
    # Called with the log group, the stream in it and its new lines.
    publish: Callable[[str, str, Sequence[Line]], None] = lambda group, stream, lines: None


@dataclass
class Attempt:
    log_stream: str
    started_at: int | None = None
    stopped_at: int | None = None
    exit_code: int | None = None
    status_reason: str | None = None
    reason: str | None = None

    def described(self) -> dict[str, Any]:
        container: dict[str, Any] = {
            "taskArn": self.log_stream.rpartition("/")[2],
            "logStreamName": self.log_stream,
            "exitCode": self.exit_code,
            "reason": self.reason,
            "networkInterfaces": [],
        }
        described = {
            "container": {name: value for name, value in container.items() if value is not None},
            "startedAt": self.started_at,
            "stoppedAt": self.stopped_at,
            "statusReason": self.status_reason,
        }
        return {name: value for name, value in described.items() if value is not None}


@dataclass(eq=False)
class Job:
    """`submitted` is SubmitJob's request, `definition` the job definition it names, both in the API's shape."""

    submitted: Mapping[str, Any]
    definition: Mapping[str, Any]
    arn_prefix: str
    queue_arn: str
    queue_name: str
    host: Host
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = SUBMITTED
    status_reason: str | None = None
    created_at: int = field(default_factory=lambda: _now())
    started_at: int | None = None
    stopped_at: int | None = None
    attempts: list[Attempt] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._terminate_reason: str | None = None
        self._is_cancelled = False

    # What was asked for: the job definition, overridden by the submission.

    @property
    def command(self) -> list[str]:
        container = self.definition.get("containerProperties") or {}
        overrides = self.submitted.get("containerOverrides") or {}
        parameters = {**(self.definition.get("parameters") or {}), **(self.submitted.get("parameters") or {})}
        command = overrides.get("command") or container.get("command") or []
        return [_with_parameters(word, parameters) for word in command]

    @property
    def environment(self) -> dict[str, str]:
        container = self.definition.get("containerProperties") or {}
        overrides = self.submitted.get("containerOverrides") or {}
        pairs = [*(container.get("environment") or []), *(overrides.get("environment") or [])]
        return {pair["name"]: str(pair.get("value", "")) for pair in pairs}

    @property
    def retry_strategy(self) -> dict[str, Any]:
        return dict(self.submitted.get("retryStrategy") or self.definition.get("retryStrategy") or {"attempts": 1})

    @property
    def log_group(self) -> str:
        return self._log_options.get("awslogs-group", "/aws/batch/job")

    @property
    def log_prefix(self) -> str:
        return self._log_options.get("awslogs-stream-prefix", str(self.definition["jobDefinitionName"]))

    @property
    def _log_options(self) -> dict[str, str]:
        container = self.definition.get("containerProperties") or {}
        return (container.get("logConfiguration") or {}).get("options") or {}

    @property
    def timeout_seconds(self) -> float | None:
        """Of each attempt, None for no limit."""
        timeout = self.submitted.get("timeout") or self.definition.get("timeout") or {}
        seconds = timeout.get("attemptDurationSeconds")
        return None if seconds is None else float(seconds)

    # Its life.

    def cancel(self, reason: str) -> None:
        """Ends the job if it has not started; one that runs goes on."""
        with self._changed:
            if self.status in (SUBMITTED, PENDING, RUNNABLE):
                self._is_cancelled = True
                self._end(FAILED, reason)

    def terminate(self, reason: str) -> None:
        """Ends the job, whatever it does; no further attempt is made."""
        with self._changed:
            if self.status in (SUBMITTED, PENDING, RUNNABLE):
                self._is_cancelled = True
                self._end(FAILED, reason)
            elif self.status not in ENDED:
                self._terminate_reason = reason
                self._changed.notify_all()

    def make_runnable(self) -> None:
        with self._changed:
            for status in (PENDING, RUNNABLE):
                if self.status not in ENDED:
                    self.status = status

    def run_attempt(self) -> None:
        """Runs one attempt; the job is RUNNABLE again if another is due, else SUCCEEDED or FAILED."""
        with self._changed:
            if self.status != RUNNABLE:
                return
            self.status = STARTING
        attempt = Attempt(log_stream=f"{self.log_prefix}/default/{uuid.uuid4().hex}")
        timed_out = False
        try:
            process = self._start(attempt)
        except OSError as error:
            # As ECS reports a command that is not in the image.
            attempt.reason = f"CannotStartContainerError: {error}"
            attempt.status_reason = "Task failed to start"
        else:
            timed_out = self._follow(process, attempt)
        attempt.stopped_at = _now()
        with self._changed:
            self.attempts.append(attempt)
            if attempt.exit_code == 0 and self._terminate_reason is None and not timed_out:
                self._end(SUCCEEDED, attempt.status_reason)
            elif self._terminate_reason is not None or timed_out or not self._is_retried(attempt):
                self._end(FAILED, attempt.status_reason)
            else:
                self.status, self.status_reason = RUNNABLE, attempt.status_reason

    def _start(self, attempt: Attempt) -> subprocess.Popen[bytes]:
        environment = {
            **self.host.environment,
            **self.environment,
            "AWS_BATCH_JOB_ID": self.id,
            "AWS_BATCH_JOB_ATTEMPT": str(len(self.attempts) + 1),
            "AWS_BATCH_JQ_NAME": self.queue_name,
        }
        command = self.command
        if not command:
            raise FileNotFoundError("the job definition names no command and the image's own is unknown")
        process = subprocess.Popen(
            command,
            cwd=self.host.directory,
            env=environment,
            executable=_found(command[0], environment.get("PATH", os.defpath), self.host.directory),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that the whole group can be stopped
        )
        with self._changed:
            self.status = RUNNING
            attempt.started_at = _now()
            self.started_at = self.started_at or attempt.started_at
        return process

    def _follow(self, process: subprocess.Popen[bytes], attempt: Attempt) -> bool:
        """Until the process is gone, by itself or by us; True where it ran out of time."""
        reader = threading.Thread(target=self._copy_output, args=(process, attempt), name="batch-output", daemon=True)
        reader.start()
        threading.Thread(target=self._reap, args=(process,), name="batch-reaper", daemon=True).start()
        timed_out = False
        with self._changed:
            is_over = self._changed.wait_for(
                lambda: process.returncode is not None or self._terminate_reason is not None, self.timeout_seconds
            )
            if not is_over:
                timed_out = True
            if process.returncode is None:
                _signal(process, signal.SIGTERM)
                _signal(process, signal.SIGCONT)  # one that is stopped would not hear it
                self._changed.wait_for(lambda: process.returncode is not None, self.host.stop_seconds)
        # The rest of the group, and a leader that did not stop when asked.
        _signal(process, signal.SIGKILL)
        code = process.wait()
        reader.join(timeout=5.0)
        # A shell's and Docker's way to tell a signal.
        attempt.exit_code = 128 - code if code < 0 else code
        attempt.status_reason = self._terminate_reason or (TIMED_OUT if timed_out else CONTAINER_EXITED)
        return timed_out

    def _reap(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        with self._changed:
            self._changed.notify_all()

    def _copy_output(self, process: subprocess.Popen[bytes], attempt: Attempt) -> None:
        self.host.logs.mkdir(parents=True, exist_ok=True)
        assert process.stdout is not None
        with (self.host.logs / f"{self.id}.log").open("a", encoding="utf-8", buffering=1) as file:
            for raw in process.stdout:
                line = raw.decode(errors="replace").rstrip("\n")
                file.write(line + "\n")
                self.host.publish(self.log_group, attempt.log_stream, [(_now(), line)])
        process.stdout.close()

    def _is_retried(self, attempt: Attempt) -> bool:
        strategy = self.retry_strategy
        if len(self.attempts) >= int(strategy.get("attempts") or 1):
            return False
        for rule in strategy.get("evaluateOnExit") or []:
            if _matches(rule, attempt):
                return str(rule["action"]).upper() == "RETRY"
        return True  # AWS retries what no rule matches

    def _end(self, status: str, reason: str | None) -> None:
        self.status, self.status_reason, self.stopped_at = status, reason, _now()
        self._changed.notify_all()

    def wait(self, timeout: float | None = None) -> bool:
        """Until the job has ended; False where it has not in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self.status in ENDED, timeout)

    # What DescribeJobs and ListJobs tell.

    @property
    def arn(self) -> str:
        return f"{self.arn_prefix}:job/{self.id}"

    def described(self) -> dict[str, Any]:
        with self._changed:
            last = self.attempts[-1] if self.attempts else None
            definition_container = self.definition.get("containerProperties") or {}
            overrides = self.submitted.get("containerOverrides") or {}
            container = {
                **definition_container,
                **{name: overrides[name] for name in ("resourceRequirements",) if overrides.get(name)},
                "command": self.command,
                "environment": [{"name": name, "value": value} for name, value in self.environment.items()],
                "volumes": definition_container.get("volumes", []),
                "mountPoints": definition_container.get("mountPoints", []),
                "ulimits": definition_container.get("ulimits", []),
                "networkInterfaces": [],
                **(last.described()["container"] if last else {}),
            }
            described = {
                "jobArn": self.arn,
                "jobName": self.submitted["jobName"],
                "jobId": self.id,
                "jobQueue": self.queue_arn,
                "status": self.status,
                "statusReason": self.status_reason,
                "attempts": [attempt.described() for attempt in self.attempts],
                "createdAt": self.created_at,
                "startedAt": self.started_at,
                "stoppedAt": self.stopped_at,
                "retryStrategy": self.retry_strategy,
                "dependsOn": [],
                "jobDefinition": self.definition["jobDefinitionArn"],
                "parameters": {**(self.definition.get("parameters") or {}), **(self.submitted.get("parameters") or {})},
                "container": container,
                "timeout": self.submitted.get("timeout") or self.definition.get("timeout"),
                "tags": self.submitted.get("tags") or {},
                "platformCapabilities": self.definition.get("platformCapabilities") or ["EC2"],
                "isCancelled": self._is_cancelled,
                "isTerminated": self._terminate_reason is not None,
            }
            return {name: value for name, value in described.items() if value is not None}

    def summarized(self) -> dict[str, Any]:
        described = self.described()
        fields = ("jobArn", "jobId", "jobName", "createdAt", "status", "statusReason", "startedAt", "stoppedAt")
        summary = {name: described[name] for name in fields if name in described}
        exit_code = described["container"].get("exitCode")
        return {**summary, **({} if exit_code is None else {"container": {"exitCode": exit_code}})}


class Machine:
    """Runs jobs, at most `slots` at a time: those of the queue with the highest priority first, then the oldest."""

    def __init__(self, slots: int) -> None:
        self._free = slots
        self._waiting: list[tuple[int, int, Job]] = []
        self._changed = threading.Condition()
        self._counted = 0

    def submit(self, job: Job, priority: int = 0) -> None:
        threading.Thread(target=self._run, args=(job, priority), name=f"batch-{job.id}", daemon=True).start()

    def _run(self, job: Job, priority: int) -> None:
        job.make_runnable()
        while job.status not in ENDED:
            with self._changed:
                self._counted += 1
                place = (-priority, self._counted, job)
                self._waiting.append(place)
                # Woken now and then too: a job that is cancelled while it waits leaves by itself.
                while job.status not in ENDED and (self._free == 0 or min(self._waiting)[2] is not job):
                    self._changed.wait(0.2)
                self._waiting.remove(place)
                if job.status in ENDED:
                    self._changed.notify_all()
                    return
                self._free -= 1
            try:
                job.run_attempt()
            finally:
                with self._changed:
                    self._free += 1
                    self._changed.notify_all()


def _with_parameters(word: str, parameters: Mapping[str, str]) -> str:
    """`Ref::name` replaced by the parameter of that name; left as it is where there is none, as AWS does."""
    return re.sub(r"Ref::([A-Za-z0-9_-]+)", lambda match: str(parameters.get(match[1], match[0])), word)


def _matches(rule: Mapping[str, Any], attempt: Attempt) -> bool:
    """Whether every condition of a rule of evaluateOnExit holds; a rule without conditions matches nothing."""
    facts = {
        "onStatusReason": attempt.status_reason,
        "onReason": attempt.reason,
        "onExitCode": None if attempt.exit_code is None else str(attempt.exit_code),
    }
    conditions = {name: pattern for name, pattern in rule.items() if name in facts and pattern is not None}
    return bool(conditions) and all(
        fnmatch.fnmatchcase((facts[name] or "").lower(), _literal_but_star(str(pattern).lower()))
        for name, pattern in conditions.items()
    )


def _literal_but_star(pattern: str) -> str:
    """AWS knows `*` only, and only at the end; `?` and `[` mean themselves."""
    return re.sub(r"([?\[])", r"[\1]", pattern)


def _found(program: str, path: str, directory: Path) -> str:
    """Where the program lies for the job: its own PATH counts, not that of this process."""
    if os.sep in program:
        return str(directory / program)
    for folder in path.split(os.pathsep):
        candidate = Path(folder) / program
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return str(candidate)
    raise FileNotFoundError(f'exec: "{program}": executable file not found in $PATH')


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _now() -> int:
    return int(time.time() * 1000)
