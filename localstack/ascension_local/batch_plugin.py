"""AWS Batch for LocalStack: its botocore service model served by `batch_service`, one for each account and region."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from localstack.aws.api import CommonServiceException, RequestContext
from localstack.aws.connect import connect_to
from localstack.aws.skeleton import Skeleton
from localstack.aws.spec import load_service
from localstack.services.plugins import Service, ServiceLifecycleHook, aws_provider

from ascension_local import places
from ascension_local.batch_job import Host, Line, Machine
from ascension_local.batch_service import OPERATIONS, Batch, ClientError

LOG = logging.getLogger(__name__)

# What a container of ours would bring by its image or its machine, handed through where it is set.
_HANDED_THROUGH = ("HOME", "LANG", "TMPDIR", "DEVICE", "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "OMP_NUM_THREADS")


class LocalBatch(ServiceLifecycleHook):
    """All Batches of this LocalStack; they share one machine."""

    def __init__(self) -> None:
        self._machine = Machine(int(os.environ.get("ASCENSION_BATCH_SLOTS") or 1))
        self._batches: dict[tuple[str, str], Batch] = {}
        self._lock = threading.Lock()

    def of(self, region: str, account: str) -> Batch:
        with self._lock:
            if (region, account) not in self._batches:
                self._batches[region, account] = Batch(region, account, self._machine, _host(region, account))
            return self._batches[region, account]

    def on_before_stop(self) -> None:
        for batch in self._batches.values():
            batch.stop("Host EC2 terminated: the local cloud was stopped")


def _host(region: str, account: str) -> Host:
    """The checkout's worker directory and virtual environment instead of the container image."""
    directory = Path(os.environ.get("ASCENSION_BATCH_ROOT") or places.ROOT / "gpu_batch")
    programs = Path(os.environ.get("ASCENSION_BATCH_BIN") or places.ROOT / ".venv" / "bin")
    environment = {name: os.environ[name] for name in _HANDED_THROUGH if name in os.environ}
    environment |= {
        "PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin",
        "PYTHONUNBUFFERED": "1",
        "AWS_ENDPOINT_URL": places.endpoint_url(),
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        # LocalStack takes a key of twelve digits as the account.
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_BATCH_CE_NAME": "local",
    }
    return Host(directory, environment, places.logs_dir() / "batch", publish=CloudWatchLog(region, account).publish)


class CloudWatchLog:
    """Sends lines to the log groups the jobs name, behind their back: printing never waits for it."""

    def __init__(self, region: str, account: str) -> None:
        self._client = connect_to(region_name=region, aws_access_key_id=account).logs
        self._waiting: queue.SimpleQueue[tuple[str, str, Line]] = queue.SimpleQueue()
        self._known: set[tuple[str, str]] = set()
        threading.Thread(target=self._send_all, name="batch-logs", daemon=True).start()

    def publish(self, group: str, stream: str, lines: Sequence[Line]) -> None:
        for line in lines:
            self._waiting.put((group, stream, line))

    def _send_all(self) -> None:
        while True:
            taken = [self._waiting.get()]
            while len(taken) < 500 and not self._waiting.empty():
                taken.append(self._waiting.get())
            for target in dict.fromkeys((group, stream) for group, stream, _ in taken):
                try:
                    self._send(*target, [line for group, stream, line in taken if (group, stream) == target])
                except Exception as error:
                    LOG.warning("Log lines of %s are lost: %s", target, error)

    def _send(self, group: str, stream: str, lines: list[Line]) -> None:
        if (group, stream) not in self._known:
            with contextlib.suppress(self._client.exceptions.ResourceAlreadyExistsException):
                self._client.create_log_group(logGroupName=group)
            with contextlib.suppress(self._client.exceptions.ResourceAlreadyExistsException):
                self._client.create_log_stream(logGroupName=group, logStreamName=stream)
            self._known.add((group, stream))
        events = [{"timestamp": at, "message": text} for at, text in lines if text]
        if events:
            self._client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


@aws_provider(api="batch")
def batch() -> Service:
    local = LocalBatch()

    def handler(operation: str) -> Callable[[RequestContext, Any], Any]:
        def handle(context: RequestContext, request: Any) -> Any:
            operations = local.of(context.region, context.account_id).operations()
            try:
                return operations[operation](request or {})
            except ClientError as error:
                raise CommonServiceException("ClientException", str(error), status_code=400) from error

        return handle

    skeleton = Skeleton(load_service("batch"), {operation: handler(operation) for operation in OPERATIONS})
    return Service("batch", skeleton=skeleton, lifecycle_hook=local)
