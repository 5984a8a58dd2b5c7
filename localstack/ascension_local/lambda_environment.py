"""One Lambda execution environment: a process running `awslambdaric`, served the Lambda Runtime API.

The protocol is AWS's own (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html): the process asks for the
next invocation over HTTP, answers it, and asks again. Nothing here knows of LocalStack, so it can be tested without it.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

# AWS gives a function 10 s to import its code. Here cold starts share a few cores with everything else.
INIT_TIMEOUT_SECONDS = 60.0
# AWS's limit for the body of a synchronous answer, in bytes.
RESPONSE_LIMIT = 6 * 1024 * 1024
_API = "/2018-06-01/runtime"


@dataclass(frozen=True)
class Launch:
    """How to start the process of an environment; timeout_seconds bounds one invocation."""

    function_name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    directory: Path
    timeout_seconds: float
    log_file: Path


@dataclass(frozen=True)
class Invocation:
    request_id: str
    function_arn: str
    payload: bytes
    trace_id: str = "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0"


@dataclass(frozen=True)
class Answer:
    """payload is the handler's JSON, or an error object where is_error; logs is what was printed meanwhile."""

    payload: bytes
    is_error: bool
    logs: str


class Environment:
    """Answers invocations one at a time, in a process that is kept between them and replaced once it died."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._runtime: _Runtime | None = None
        self._stopped = False
        self._lock = threading.Lock()

    def start(self) -> None:
        """Starts the process without waiting for it: the first invocation does."""
        with self._lock:
            if self._stopped:
                raise RuntimeError(f"{self._launch.function_name}: the environment is stopped")
            if self._runtime is None or not self._runtime.is_alive():
                if self._runtime:
                    self._runtime.close()
                self._runtime = _Runtime(self._launch)

    def invoke(self, invocation: Invocation) -> Answer:
        """Runs the handler; a time-out, a crash and an exception all come back as an Answer with is_error."""
        self.start()
        runtime = self._runtime
        assert runtime is not None
        runtime.output.note(f"START RequestId: {invocation.request_id} Version: $LATEST")
        started = time.monotonic()
        payload, is_error = runtime.invoke(invocation)
        took_ms = (time.monotonic() - started) * 1000
        runtime.output.drain()
        runtime.output.note(f"END RequestId: {invocation.request_id}")
        runtime.output.note(f"REPORT RequestId: {invocation.request_id}\tDuration: {took_ms:.2f} ms")
        return Answer(payload, is_error, runtime.output.take())

    @property
    def process_id(self) -> int | None:
        """Of the live process, None where there is none."""
        runtime = self._runtime
        return runtime.process.pid if runtime and runtime.is_alive() else None

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            runtime, self._runtime = self._runtime, None
        if runtime:
            runtime.close()


class _Output:
    """What the process prints, into the function's log file and kept for the answer of the running invocation.

    The process's last lines may still be in the pipe when its answer arrives, so an invocation drains the pipe itself.
    """

    def __init__(self, log_file: Path) -> None:
        log_file.parent.mkdir(parents=True, exist_ok=True)
        self._file = log_file.open("ab", buffering=0)
        self._read_end, self.write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        self._lock = threading.Lock()
        self._partial = b""
        self._kept: list[str] = []
        self._ended = False
        threading.Thread(target=self._follow, name="lambda-output", daemon=True).start()

    def _follow(self) -> None:
        while not self._ended:
            with contextlib.suppress(OSError, ValueError):
                select.select([self._read_end], [], [], 1.0)
            self.drain()
        with self._lock:
            os.close(self._read_end)
            self._file.close()

    def drain(self) -> None:
        """Reads what is in the pipe now."""
        with self._lock:
            while not self._ended:
                try:
                    chunk = os.read(self._read_end, 65536)
                except BlockingIOError:
                    break
                if not chunk:
                    self._ended = True
                    if self._partial:
                        self._keep(self._partial)
                        self._partial = b""
                    break
                *lines, self._partial = (self._partial + chunk).split(b"\n")
                for line in lines:
                    self._keep(line)

    def note(self, line: str) -> None:
        """Adds a line of the platform's own, as AWS does around each invocation."""
        with self._lock:
            self._keep(line.encode())

    def _keep(self, line: bytes) -> None:
        self._kept.append(line.decode(errors="replace"))
        with contextlib.suppress(ValueError):  # closed: a late line of a process that is gone
            self._file.write(line + b"\n")

    def take(self) -> str:
        with self._lock:
            kept, self._kept = self._kept, []
        return "".join(line + "\n" for line in kept)


class _Runtime:
    """One process and the HTTP server it talks to; never outlives either."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._changed = threading.Condition()
        self._asked = False
        self._pending: Invocation | None = None
        self._current: Invocation | None = None
        self._answer: tuple[bytes, bool] | None = None
        self._init_error: bytes | None = None
        self._closed = False
        self._exit_code: int | None = None
        self.output = _Output(launch.log_file)
        self._server = _Server(self)
        threading.Thread(target=self._server.serve_forever, name="lambda-runtime-api", daemon=True).start()
        try:
            self.process = subprocess.Popen(
                launch.command,
                cwd=launch.directory,
                env={**launch.environment, "AWS_LAMBDA_RUNTIME_API": self._server.address},
                stdin=subprocess.DEVNULL,
                stdout=self.output.write_end,
                stderr=self.output.write_end,
                start_new_session=True,  # so that its children can be killed with it
            )
        except BaseException:
            self._server.shutdown()
            self._server.server_close()
            raise
        finally:
            os.close(self.output.write_end)
        threading.Thread(target=self._reap, name="lambda-reaper", daemon=True).start()

    def _reap(self) -> None:
        code = self.process.wait()
        with self._changed:
            self._exit_code = code
            self._changed.notify_all()
        self._kill()  # what it left behind
        self._server.shutdown()
        self._server.server_close()

    def is_alive(self) -> bool:
        with self._changed:
            return not self._over()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._kill()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def invoke(self, invocation: Invocation) -> tuple[bytes, bool]:
        with self._changed:
            in_time = self._changed.wait_for(lambda: self._asked or self._over(), INIT_TIMEOUT_SECONDS)
            if not in_time:
                return self._timed_out(invocation, INIT_TIMEOUT_SECONDS)
            if not self._over():
                self._answer, self._pending = None, invocation
                self._changed.notify_all()
                in_time = self._changed.wait_for(
                    lambda: self._answer is not None or self._over(), self._launch.timeout_seconds
                )
                if not in_time:
                    return self._timed_out(invocation, self._launch.timeout_seconds)
            self._current = self._pending = None
            if self._answer is not None:
                return self._answer
            if self._init_error is not None:
                return self._init_error, True
        return self._died(invocation)

    def _over(self) -> bool:
        return self._exit_code is not None or self._init_error is not None or self._closed

    def _timed_out(self, invocation: Invocation, limit: float) -> tuple[bytes, bool]:
        self.close()
        message = f"RequestId: {invocation.request_id} Error: Task timed out after {limit:.2f} seconds"
        self.output.note(message)
        return _error("Sandbox.Timedout", message), True

    def _died(self, invocation: Invocation) -> tuple[bytes, bool]:
        code = self._exit_code
        if code is None:
            reason = "Runtime exited with error: signal: killed"  # stopped by us in the middle
        elif code == 0:
            reason = "Runtime exited without providing a reason"
        elif code < 0:
            reason = f"Runtime exited with error: signal: {signal.strsignal(-code) or -code}".lower()
            reason = "R" + reason[1:]
        else:
            reason = f"Runtime exited with error: exit status {code}"
        message = f"RequestId: {invocation.request_id} Error: {reason}"
        self.output.note(message)
        return _error("Runtime.ExitError", message), True

    # Called by the server's threads.

    def next_invocation(self) -> tuple[Invocation, int] | None:
        """Blocks until there is one; with its deadline in Unix milliseconds. None once the environment is closed."""
        with self._changed:
            self._asked = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._pending is not None or self._over())
            if self._pending is None:
                return None
            self._current, self._pending = self._pending, None
            self._asked = False
            return self._current, int((time.time() + self._launch.timeout_seconds) * 1000)

    def answer(self, request_id: str, body: bytes, *, is_error: bool) -> bool:
        """False where that invocation is not running (any more)."""
        with self._changed:
            if self._current is None or self._current.request_id != request_id:
                return False
            if len(body) > RESPONSE_LIMIT:
                message = f"Response payload size exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes)."
                body, is_error = _error("Function.ResponseSizeTooLarge", message), True
            self._answer = (body, is_error)
            self._changed.notify_all()
            return True

    def init_failed(self, body: bytes) -> None:
        with self._changed:
            self._init_error = body
            self._changed.notify_all()


def _error(error_type: str, message: str) -> bytes:
    return json.dumps({"errorType": error_type, "errorMessage": message}).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, runtime: _Runtime) -> None:
        super().__init__(("127.0.0.1", 0), _RuntimeApi)
        self.runtime = runtime

    @property
    def address(self) -> str:
        host, port = self.server_address[:2]
        return f"{host!s}:{port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A process killed in the middle of a request leaves a broken connection, which is no news."""


class _RuntimeApi(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body leave together: otherwise Nagle and delayed acknowledgements cost 40 ms an invocation.
    wbufsize = -1
    disable_nagle_algorithm = True

    @property
    def _runtime(self) -> _Runtime:
        return cast(_Server, self.server).runtime

    def do_GET(self) -> None:
        if self.path != f"{_API}/invocation/next":
            self._reply(404)
            return
        following = self._runtime.next_invocation()
        if following is None:
            self.close_connection = True  # never a 5xx: the runtime client crashes on it
            return
        invocation, deadline_ms = following
        self._reply(
            200,
            invocation.payload,
            {
                "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
                # The runtime client crashes without this one.
                "Lambda-Runtime-Trace-Id": invocation.trace_id,
            },
        )

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == f"{_API}/init/error":
            self._runtime.init_failed(body)
            self._reply(202)
            return
        head, _, kind = self.path.rpartition("/")
        request_id = head.removeprefix(f"{_API}/invocation/")
        if kind not in ("response", "error"):
            self._reply(404)
            return
        accepted = self._runtime.answer(request_id, body, is_error=kind == "error")
        self._reply(202 if accepted else 400)

    def _reply(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass
