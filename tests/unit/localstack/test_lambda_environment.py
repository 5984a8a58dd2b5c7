"""A Lambda function as a process: what AWS promises about invocations, time-outs, crashes and logs."""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from ascension_local.lambda_environment import Answer, Environment, Invocation, Launch

ROOT = Path(__file__).resolve().parents[3]
RUNTIME = ROOT / ".local" / "venvs" / "runtime-python3.13"

pytestmark = pytest.mark.skipif(
    not (RUNTIME / "stamp").exists(), reason="the Lambda runtime is not installed: scripts/localstack-venv"
)

HANDLER = """
import os, sys, time

print("imported")

def handle(event, context):
    print("called with", sorted(event))
    if "print" in event:
        print(event["print"])
    if "sleep" in event:
        time.sleep(event["sleep"])
    if "exit" in event:
        os._exit(event["exit"])
    if "raise" in event:
        raise ValueError(event["raise"])
    if "size" in event:
        return "x" * event["size"]
    return {"pid": os.getpid(), "ms_left": context.get_remaining_time_in_millis(), "path": sys.path}
"""

Start = Callable[..., Environment]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts an environment with the handler above; all are stopped at the end."""
    started: list[Environment] = []

    def start(handler: str = "handler.handle", timeout_seconds: float = 30.0) -> Environment:
        (tmp_path / "handler.py").write_text(HANDLER)
        interpreter = (RUNTIME / "interpreter").read_text().strip()
        launch = Launch(
            function_name="climb",
            command=(interpreter, "-S", "-s", "-m", "awslambdaric", handler),
            environment={
                "PATH": os.defpath,
                "PYTHONPATH": f"{tmp_path}:{RUNTIME}",
                "AWS_LAMBDA_FUNCTION_NAME": "climb",
            },
            directory=tmp_path,
            timeout_seconds=timeout_seconds,
            log_file=tmp_path / "logs" / "climb.log",
        )
        started.append(Environment(launch))
        return started[-1]

    yield start
    for environment in started:
        environment.stop()


_numbers = count()


def invoke(environment: Environment, **event: object) -> Answer:
    request_id = f"request-{next(_numbers)}"
    return environment.invoke(Invocation(request_id, "arn:aws:lambda:::function:climb", json.dumps(event).encode()))


def content(answer: Answer) -> Any:
    return json.loads(answer.payload)


def test_warm_invocations_are_answered_by_the_same_process(start: Start) -> None:
    environment = start()
    first, second = invoke(environment), invoke(environment)
    assert not first.is_error
    assert content(first)["pid"] == content(second)["pid"]


def test_two_environments_of_a_function_work_at_the_same_time(start: Start) -> None:
    environments = [start(), start()]
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(invoke, environments))
    assert len({content(answer)["pid"] for answer in answers}) == 2


def test_the_handler_knows_how_much_time_it_has(start: Start) -> None:
    answer = invoke(start(timeout_seconds=20.0))
    assert 0 < content(answer)["ms_left"] <= 20_000


def test_nothing_but_its_code_and_the_runtime_is_importable(start: Start, tmp_path: Path) -> None:
    found = content(invoke(start()))["path"]
    assert not [path for path in found if "site-packages" in path]
    assert {str(tmp_path), str(RUNTIME)} <= set(found)


def test_an_exception_is_answered_as_a_function_error(start: Start) -> None:
    environment = start()
    answer = invoke(environment, **{"raise": "no wall"})
    assert answer.is_error
    assert content(answer)["errorType"] == "ValueError"
    assert content(answer)["errorMessage"] == "no wall"
    assert not invoke(environment).is_error


@pytest.mark.parametrize(
    ("code", "reason"),
    [(3, "Runtime exited with error: exit status 3"), (0, "Runtime exited without providing a reason")],
)
def test_a_process_that_exits_is_an_exit_error_and_the_next_call_gets_a_new_one(
    start: Start, code: int, reason: str
) -> None:
    environment = start()
    before = content(invoke(environment))["pid"]
    answer = invoke(environment, exit=code)
    assert answer.is_error
    assert content(answer)["errorType"] == "Runtime.ExitError"
    assert content(answer)["errorMessage"].endswith(reason)
    assert content(invoke(environment))["pid"] != before


def test_a_process_killed_in_the_middle_of_an_invocation_is_an_exit_error(start: Start) -> None:
    environment = start()
    invoke(environment)
    pid = environment.process_id
    assert pid is not None
    threading.Timer(0.2, os.kill, (pid, signal.SIGKILL)).start()
    answer = invoke(environment, sleep=20)
    assert answer.is_error
    assert content(answer)["errorMessage"].endswith("Runtime exited with error: signal: killed")
    assert not invoke(environment).is_error


def test_a_process_killed_between_invocations_is_replaced_unnoticed(start: Start) -> None:
    environment = start()
    invoke(environment)
    pid = environment.process_id
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while environment.process_id is not None:  # until it has been reaped
        pass
    assert not invoke(environment).is_error


def test_an_invocation_that_takes_too_long_is_stopped_with_its_process(start: Start) -> None:
    environment = start(timeout_seconds=0.5)
    before = content(invoke(environment))["pid"]
    answer = invoke(environment, sleep=20)
    assert answer.is_error
    assert content(answer)["errorType"] == "Sandbox.Timedout"
    assert content(answer)["errorMessage"].endswith("Task timed out after 0.50 seconds")
    assert content(invoke(environment))["pid"] != before


def test_code_that_cannot_be_imported_is_answered_with_the_reason(start: Start) -> None:
    answer = invoke(start(handler="missing.handle"))
    assert answer.is_error
    assert content(answer)["errorType"] == "Runtime.ImportModuleError"


def test_an_answer_larger_than_lambda_allows_is_an_error(start: Start) -> None:
    environment = start()
    answer = invoke(environment, size=7_000_000)
    assert answer.is_error
    assert content(answer)["errorType"] == "Function.ResponseSizeTooLarge"
    assert not invoke(environment).is_error


def test_each_answer_carries_the_lines_printed_meanwhile_and_the_log_file_all(start: Start, tmp_path: Path) -> None:
    environment = start()
    first, second = invoke(environment, print="chalk"), invoke(environment, print="rope")
    assert "imported" in first.logs
    assert "chalk" in first.logs
    assert "chalk" not in second.logs
    assert "rope" in second.logs
    written = (tmp_path / "logs" / "climb.log").read_text()
    assert written == first.logs + second.logs


def test_a_stopped_environment_leaves_no_process(start: Start) -> None:
    environment = start()
    invoke(environment)
    pid = environment.process_id
    assert pid is not None
    environment.stop()
    while is_running(pid):  # until it has been reaped
        pass
    assert environment.process_id is None


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
