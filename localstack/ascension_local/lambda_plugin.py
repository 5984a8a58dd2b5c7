"""Runs Lambda functions as processes: LocalStack's `RuntimeExecutor` over `lambda_environment`.

Chosen with LAMBDA_RUNTIME_EXECUTOR=process. A function gets its own code, its layers and what AWS's managed runtime
brings (`.local/venvs/runtime-python3.13`), run by a base interpreter without site-packages: nothing of LocalStack's
environment or of the checkout's leaks in, so a dependency that is missing on AWS is missing here.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from localstack.services.lambda_.invocation.assignment import AssignmentService
from localstack.services.lambda_.invocation.execution_environment import ExecutionEnvironment
from localstack.services.lambda_.invocation.lambda_models import ArchiveCode, FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import LambdaRuntimeException, RuntimeExecutor

from ascension_local import places
from ascension_local.lambda_environment import Environment, Invocation, Launch
from localstack import config


class ProcessRuntimeExecutor(RuntimeExecutor):
    def __init__(self, id: str, function_version: FunctionVersion) -> None:
        super().__init__(id, function_version)
        self._environment: Environment | None = None

    def start(self, env_vars: dict[str, str]) -> None:
        self._environment = Environment(launch(self.function_version, env_vars))
        self._environment.start()

    def stop(self) -> None:
        if self._environment:
            self._environment.stop()

    def get_address(self) -> str:
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        return "127.0.0.1"

    def get_runtime_endpoint(self) -> str:
        return f"http://127.0.0.1:{config.GATEWAY_LISTEN[0].port}/_localstack_lambda/{self.id}"

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        if self._environment is None:
            raise LambdaRuntimeException(f"{self.function_version.id.function_name}: invoked before it was started")
        answer = self._environment.invoke(
            Invocation(
                request_id=payload["invoke-id"],
                function_arn=payload["invoked-function-arn"],
                payload=payload["payload"].encode(),
                trace_id=payload["trace-id"],
            )
        )
        return InvocationResult(payload["invoke-id"], answer.payload, is_error=answer.is_error, logs=answer.logs)

    def get_logs(self) -> str:
        return ""  # each answer carries its own

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        managed_runtime(function_version.config.runtime)
        for code in (function_version.config.code, *(layer.code for layer in function_version.config.layers)):
            _archive(code).prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """Nothing: a changed configuration is a new version with the same unpacked code."""

    @classmethod
    def validate_environment(cls) -> bool:
        return True


class ProcessRuntimeExecutorPlugin(RuntimeExecutorPlugin):
    name = "process"

    def load(self, *args: object, **kwargs: object) -> type[RuntimeExecutor]:
        bound_environments(int(os.environ.get("ASCENSION_LAMBDA_ENVIRONMENTS") or 2 * (os.cpu_count() or 1)))
        return ProcessRuntimeExecutor


def bound_environments(most: int) -> None:
    """At most so many environments of a function; further invocations wait for one.

    AWS starts another machine for every invocation that finds none free. Here they share one: each process that starts
    takes a second of a core from those that could answer, so that a burst would only start more of them.
    """
    assign = AssignmentService.get_environment
    turns: defaultdict[str, threading.BoundedSemaphore] = defaultdict(lambda: threading.BoundedSemaphore(most))

    @contextlib.contextmanager
    def get_environment(
        service: AssignmentService, version_manager_id: str, *arguments: Any, **named: Any
    ) -> Iterator[ExecutionEnvironment]:
        with turns[version_manager_id], assign(service, version_manager_id, *arguments, **named) as environment:
            yield environment

    AssignmentService.get_environment = get_environment  # type: ignore[assignment, method-assign]


def managed_runtime(runtime: str | None) -> Path:
    """The directory of what AWS's managed runtime of that name brings; its file `interpreter` names the Python."""
    directory = places.VENVS / f"runtime-{runtime}"
    if not (directory / "stamp").exists():
        version = (runtime or "").removeprefix("python")
        raise LambdaRuntimeException(
            f"The runtime {runtime} is not installed: run LAMBDA_PYTHON_VERSIONS={version} scripts/localstack-venv"
        )
    return directory


def _archive(code: ArchiveCode | None) -> ArchiveCode:
    if code is None:
        raise LambdaRuntimeException("Functions from container images are not run locally")
    return code


def launch(function_version: FunctionVersion, variables: dict[str, str]) -> Launch:
    """How to start a process of this function; variables are LocalStack's, the function's own included."""
    configured = function_version.config
    runtime = managed_runtime(configured.runtime)
    task = _archive(configured.code).get_unzipped_code_location()
    # On AWS later layers are unpacked over earlier ones, so they are searched first.
    layers = [_archive(layer.code).get_unzipped_code_location() for layer in reversed(configured.layers)]
    search = [task]
    for layer in layers:
        search += [layer / "python" / "lib" / str(configured.runtime) / "site-packages", layer / "python"]
    search.append(runtime)
    # Values arrive as int too. What only LocalStack's containers need is left out.
    environment = {name: str(value) for name, value in variables.items() if not name.startswith("LOCALSTACK_")}
    environment.pop("EDGE_PORT", None)
    environment |= {
        "AWS_ENDPOINT_URL": variables.get("AWS_ENDPOINT_URL") or places.endpoint_url(),
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{configured.runtime}",
        "LAMBDA_TASK_ROOT": str(task),
        "LAMBDA_RUNTIME_DIR": str(runtime),
        "LANG": "en_US.UTF-8",
        "PATH": ":".join([*(str(layer / "bin") for layer in layers), "/usr/local/bin", "/usr/bin", "/bin"]),
        "PYTHONPATH": ":".join(map(str, search)),
    }
    interpreter = (runtime / "interpreter").read_text().strip()
    return Launch(
        function_name=function_version.id.function_name,
        # -S and -s: no site-packages but those named in PYTHONPATH.
        command=(interpreter, "-S", "-s", "-m", "awslambdaric", str(configured.handler)),
        environment=environment,
        directory=task,
        timeout_seconds=configured.timeout,
        log_file=places.logs_dir() / "lambda" / f"{function_version.id.function_name}.log",
    )
