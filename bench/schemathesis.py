"""schemathesis over docs/openapi.json: thousands of requests, as the document allows them and as it does not.

It runs in an environment of its own (``bench/requirements-schemathesis.txt``) against the API's handler on a real
PostgreSQL, behind a small HTTP server that makes API Gateway's events of requests. AWS is a process that answers at
once. The user who asks is on Enterprise and comes back after each ``DELETE /me``; limits by user and address are
emptied, not lifted. SCHEMATHESIS_SEED and SCHEMATHESIS_CASES (of each operation) change the run.
"""

import asyncio
import base64
import contextlib
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qsl

import psycopg

from bench import surroundings
from bench.api import context, function
from bench.filling import OWNER, fill, id_of, verbose_result
from bench.report import Goal, Report, Table

SEED = os.environ.get("SCHEMATHESIS_SEED", "20261121")
CASES = os.environ.get("SCHEMATHESIS_CASES", "150")
FEWEST_REQUESTS = 5000
DOCUMENT = surroundings.ROOT / "docs" / "openapi.json"
REQUIREMENTS = surroundings.ROOT / "bench" / "requirements-schemathesis.txt"
VENV = surroundings.ROOT / ".local" / "venvs" / "schemathesis"
OUTPUT = surroundings.ROOT / ".local" / "bench" / "schemathesis.txt"

Answers = Counter[tuple[str, int]]


def measure() -> Report:
    """One run. What schemathesis says is left in ``.local/bench/schemathesis.txt``."""
    schemathesis = _installed()
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    with (
        surroundings.database() as conninfo,
        surroundings.silent_aws(verbose_result()) as aws,
        open(os.devnull, "w") as log,
    ):
        fill(conninfo, 50)
        with (
            function(surroundings.environment(conninfo, aws), log) as (handler, _),
            _served(handler, conninfo) as (address, answers),
        ):
            passed = _run(schemathesis, address)
    methods = sorted({method for method, _ in answers})
    rows = [[method, *(_count(answers, method, hundreds) for hundreds in (2, 3, 4, 5))] for method in methods]
    total, errors = answers.total(), sum(count for (_, status), count in answers.items() if status >= 500)
    return Report(
        [Table("requests by their answers", ("method", "2xx", "3xx", "4xx", "5xx"), rows)],
        goals=[
            Goal(f"at least {FEWEST_REQUESTS:,} requests: {total:,}", total >= FEWEST_REQUESTS),
            Goal("no 5xx", errors == 0),
            Goal("all checks pass", passed),
        ],
        notes=[f"seed {SEED}, {CASES} cases of each operation and what schemathesis adds to them"],
        packages=("fastapi", "pydantic", "mangum"),
        versions=dict(line.split("==") for line in REQUIREMENTS.read_text().split() if line.startswith("schemathesis")),
    )


def _count(answers: Answers, method: str, hundreds: int) -> int:
    return sum(count for (of, status), count in answers.items() if of == method and status // 100 == hundreds)


def _run(schemathesis: str, address: str) -> bool:
    from ascension.accounts.tokens import issue_access_token

    command = [
        *(schemathesis, "run", str(DOCUMENT), "--url", f"{address}/api/v1"),
        *("--header", f"Authorization: Bearer {issue_access_token(id_of(OWNER))}"),
        *("--checks", "all", "--continue-on-failure", "--max-examples", CASES, "--seed", SEED),
        *("--suppress-health-check", "all", "--request-timeout", "120", "--no-color"),
    ]
    with OUTPUT.open("w") as output:
        ran = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, cwd=OUTPUT.parent, check=False)
    return ran.returncode == 0


@contextlib.contextmanager
def _served(handler: Callable[..., Any], conninfo: str) -> Iterator[tuple[str, Answers]]:
    """The handler behind HTTP, one request after the other: the address, and a count by method and status."""
    answers: Answers = Counter()

    class Gateway(BaseHTTPRequestHandler):
        # A request a connection: one that is kept alive would keep the others waiting.
        protocol_version = "HTTP/1.0"
        wbufsize = -1

        def answer(self) -> None:
            if answers.total() % 25 == 0:
                connection.execute("UPDATE rate_limits SET drained_at = now() WHERE drained_at > now()")
            given = handler(_event(self), context())
            answers[self.command, given["statusCode"]] += 1
            if self.command == "DELETE" and self.path.endswith("/me"):
                _come_back(connection)
            self._send(given)

        def __getattr__(self, name: str) -> Any:
            """``do_…`` of every method there is."""
            if name.startswith("do_"):
                return self.answer
            raise AttributeError(name)

        def _send(self, given: dict[str, Any]) -> None:
            body = given["body"].encode()
            if given["isBase64Encoded"]:
                body = base64.b64decode(body)
            self.send_response(given["statusCode"])
            for name, value in given["headers"].items():
                if name.lower() != "content-length":
                    self.send_header(name, value)
            if given["statusCode"] not in (204, 304):
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with psycopg.connect(conninfo, autocommit=True) as connection:
        server = HTTPServer(("127.0.0.1", 0), Gateway)
        thread = threading.Thread(target=_serve, args=(server,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", answers
        finally:
            server.shutdown()
            thread.join()


def _serve(server: HTTPServer) -> None:
    # Mangum runs the application in the thread's event loop, which only the main thread has from the start.
    asyncio.set_event_loop(asyncio.new_event_loop())
    server.serve_forever()


def _event(request: BaseHTTPRequestHandler) -> dict[str, Any]:
    """What API Gateway makes of a request."""
    path, _, query = request.path.removeprefix("/api/v1").partition("?")
    body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
    event = surroundings.event(request.command, path, body=body or None)
    headers = {"X-Forwarded-For": event["headers"]["X-Forwarded-For"]} | dict(request.headers.items())
    parameters: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        parameters.setdefault(name, []).append(value)
    return event | {
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in parameters.items()} or None,
        "multiValueQueryStringParameters": parameters or None,
    }


def _come_back(connection: psycopg.Connection[Any]) -> None:
    """The user who has just deleted the account opens it again, with an analysed video."""
    owner = id_of(OWNER)
    connection.execute(
        "INSERT INTO users (id, email, password_hash, subscription_tier) "
        "VALUES (%s, 'owner@example.org', 'x', 'enterprise') ON CONFLICT DO NOTHING",
        (owner,),
    )


def _installed() -> str:
    """schemathesis's command, installed where it is not."""
    stamp = VENV / "stamp"
    wanted = REQUIREMENTS.read_text()
    if not stamp.is_file() or stamp.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
        pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", str(REQUIREMENTS)], check=True)
        stamp.write_text(wanted)
    return str(VENV / "bin" / "schemathesis")
