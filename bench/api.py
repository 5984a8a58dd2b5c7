"""Every route of the API but register and login, from API Gateway's event to the answer, with few and many analyses.

The handler is called as Lambda calls it, on a real PostgreSQL; AWS is a process that answers at once. Beside the times
it is checked that no request made PostgreSQL read a whole table.
"""

import contextlib
import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, TextIO
from uuid import uuid4

import psycopg

from bench import surroundings
from bench.filling import OWNER, SUBJECTS, fill, id_of, verbose_result
from bench.report import Goal, Report, Table, quantile

ANALYSES = tuple(int(n) for n in os.environ.get("BENCH_ANALYSES", "50,1000000").split(","))
GOAL_MS = 15.0
# Passwords are meant to take their time.
EXEMPT = {("POST", "/auth/register"), ("POST", "/auth/login")}
WARM_UP = 20
CHANGES = {"changes": [{"action": "add", "box": [0.1, 0.2, 0.15, 0.24], "type": "jug"}] * 20}
CONTROL = ("5 ms of arithmetic", "for comparison")


@dataclass(frozen=True)
class Case:
    """A kind of request. ``make`` gives the event of the i-th one, 0 ≤ i < ``SUBJECTS``."""

    method: str
    path: str
    variant: str
    make: Callable[[int], dict[str, Any]]
    status: int = 200
    count: int = SUBJECTS


def cases(token: str, leavers: list[str]) -> list[Case]:
    """All routes, the important ones in several variants."""

    def case(
        method: str,
        path: str,
        variant: str = "",
        *,
        status: int = 200,
        count: int = SUBJECTS,
        body: Any = None,
        query: str = "",
        **headers: str,
    ) -> Case:
        """What replaces ``{…}`` in path is the name of a row; # in it and in headers is the request's number."""

        def make(i: int) -> dict[str, Any]:
            filled = path.replace("{kind}", "holds").replace("{token}", "link")
            for parameter, name in names.items():
                filled = filled.replace(f"{{{parameter}}}", str(id_of(name.replace("#", str(i)))))
            content = body(i) if callable(body) else body
            sent = json.dumps(content).encode() if content is not None else None
            numbered = {name: value.replace("#", str(i)) for name, value in headers.items()}
            return surroundings.event(method, filled + query, token=token, body=sent, **numbered)

        names = {
            key: headers.pop(key) for key in ("job_id", "video_id", "key_id", "share_id", "other") if key in headers
        }
        return Case(method, path, variant, make, status, count)

    upload = {"filename": "climb.mp4", "content_type": "video/mp4", "file_size_bytes": 1000}

    def leaving(i: int) -> dict[str, Any]:
        return surroundings.event("DELETE", "/me", token=leavers[i])

    return [
        case("GET", "/health"),
        case("POST", "/auth/refresh", body=lambda i: {"refresh_token": f"refresh-token{i}"}),
        case("POST", "/auth/logout", status=204, body=lambda i: {"refresh_token": f"logout-token{i}"}),
        case("GET", "/me"),
        case("GET", "/analysis", "20 of them"),
        case("GET", "/analysis", "100 of them", query="?limit=100"),
        case("GET", "/analysis/{job_id}", "small result", job_id="job2", Accept_Encoding="gzip"),
        case("GET", "/analysis/{job_id}", "60 kB, gzip", job_id="job1", Accept_Encoding="gzip"),
        case("GET", "/analysis/{job_id}", "60 kB, plain", job_id="job1"),
        case("GET", "/analysis/{job_id}", "60 kB, 304", status=304, job_id="job1", If_None_Match="*"),
        case("GET", "/analysis/{job_id}", "verbose", job_id="job1", query="?format=verbose", Accept_Encoding="gzip"),
        case("POST", "/analysis/request-upload", status=201, body=upload),
        case("POST", "/analysis/request-upload", "with start", status=201, body={**upload, "start": {}}),
        case(
            "POST",
            "/analysis/request-upload",
            "with a key",
            status=201,
            body=upload,
            Idempotency_Key="request-#",
        ),
        case("POST", "/analysis/start", status=202, body=lambda i: {"video_id": str(id_of(f"start{i}"))}),
        case("POST", "/analysis/bulk", status=202, body=lambda i: {"items": [{"video_id": str(id_of(f"bulk{i}"))}]}),
        case("PATCH", "/analysis/{job_id}/holds", status=202, body=CHANGES, job_id="correct-job#"),
        case("GET", "/analysis/{job_id}/compare/{other}", job_id="job1", other="job3"),
        case("POST", "/analysis/{job_id}/shares", status=201, body={}, job_id="correct-job#"),
        case("GET", "/analysis/{job_id}/shares", job_id="job1"),
        case("DELETE", "/analysis/{job_id}/shares/{share_id}", status=204, job_id="job1", share_id="revoked-share#"),
        case("GET", "/shared/{token}", "60 kB, gzip", Accept_Encoding="gzip"),
        case("GET", "/shared/{token}/thumbnail", status=303),
        case("GET", "/videos", "20 of them"),
        case("GET", "/videos/{video_id}", video_id="video2"),
        case("POST", "/videos/{video_id}/save", video_id="save#"),
        case("DELETE", "/videos/{video_id}/save", status=204, video_id="unsave#"),
        case("DELETE", "/videos/{video_id}", status=204, video_id="delete#"),
        case("POST", "/ws/ticket"),
        case("GET", "/api-keys"),
        case("DELETE", "/api-keys/{key_id}", status=204, key_id="revoked-key#"),
        case("POST", "/api-keys", status=201, count=45, body={"name": "server"}),
        case("PUT", "/models/{kind}", body={"file_size_bytes": 1000}),
        case("GET", "/models"),
        # There is only the one that PUT has announced.
        case("DELETE", "/models/{kind}", status=204, count=1),
        Case("DELETE", "/me", "three analyses", leaving, 204),
    ]


def measure() -> Report:
    """Measure all routes at each size of the database."""
    table = Table(
        "milliseconds from event to answer",
        ("route", "", *(f"{name} at {size:,}" for size in ANALYSES for name in ("p50", "p95"))),
    )
    figures: dict[tuple[str, str], list[float]] = {}
    scans: dict[str, set[str]] = {}
    # Open until the end: loggers hold on to the standard output that they were made with.
    log = open(os.devnull, "w")  # noqa: SIM115
    for size in ANALYSES:
        with surroundings.database() as conninfo, surroundings.silent_aws(verbose_result()) as aws:
            started = time.monotonic()
            fill(conninfo, size)
            print(f"{size:,} analyses filled in after {time.monotonic() - started:.0f} s", flush=True)
            with function(surroundings.environment(conninfo, aws), log) as (handler, routes):
                known = _cases()
                if missing := routes - EXEMPT - {(case.method, case.path) for case in known}:
                    raise AssertionError(f"routes that are not measured: {sorted(missing)}")
                figures.setdefault(CONTROL, []).extend(_control())
                for case in known:
                    times, read = _measured(handler, case, conninfo)
                    name = (f"{case.method} {case.path}", case.variant)
                    figures.setdefault(name, []).extend((quantile(times, 0.5), quantile(times, 0.95)))
                    if read and size == max(ANALYSES):
                        scans[" ".join(name).strip()] = read
    table.rows = [[*name, *(round(value, 2) for value in values)] for name, values in figures.items()]
    slow = [
        " ".join(name).strip() for name, values in figures.items() if name != CONTROL and max(values[1::2]) >= GOAL_MS
    ]
    scanned = [f"{route} reads all of {', '.join(sorted(tables))}" for route, tables in scans.items()]
    return Report(
        [table],
        goals=[
            Goal(
                f"p95 of every route under {GOAL_MS:.0f} ms" + (f"; not: {', '.join(slow)}" if slow else ""), not slow
            ),
            Goal(
                f"no request reads a whole table at {max(ANALYSES):,}"
                + (f"; but {'; '.join(scanned)}" if scanned else ""),
                not scanned,
            ),
        ],
        notes=[
            f"On a quiet machine {CONTROL[0]} take 5 ms at p95 too; where they take more, so does everything else.",
            f"{SUBJECTS} requests of each kind (45 new keys: there may be 50), one after the other, after {WARM_UP} "
            "others; the user who asks owns a hundredth of all analyses and is on Enterprise.",
            "S3, Step Functions and Secrets Manager answer at once from another process: their own time is not in it.",
        ],
        packages=("fastapi", "pydantic", "mangum", "psycopg", "boto3", "aws-lambda-powertools"),
        versions={"postgresql": _postgresql_version},
    )


_postgresql_version = ""


def _cases() -> list[Case]:
    from ascension.accounts.tokens import issue_access_token

    leavers = [issue_access_token(id_of(f"leaver{i}")) for i in range(SUBJECTS)]
    return cases(issue_access_token(id_of(OWNER)), leavers)


@contextlib.contextmanager
def function(environment: dict[str, str], log: TextIO) -> Iterator[tuple[Callable[..., Any], set[tuple[str, str]]]]:
    """The function's handler and its routes, in this environment; what it logs goes where Lambda's log would be."""
    from ascension.accounts.signing import forget_signing_keys
    from ascension.database import pool
    from ascension.settings import aws_client, settings

    before = dict(os.environ)
    os.environ.update(environment)
    for cached in (pool, settings, aws_client):
        cached.cache_clear()
    forget_signing_keys()
    folder = str(surroundings.ROOT / "functions" / "api")
    sys.path.insert(0, folder)
    try:
        with contextlib.redirect_stdout(log):
            spec = importlib.util.spec_from_file_location("api_handler", f"{folder}/handler.py")
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            from ascension_api.app import create_app

            paths = create_app().openapi()["paths"]
            yield module.handler, {(method.upper(), path) for path, methods in paths.items() for method in methods}
            pool().close()
    finally:
        sys.path.remove(folder)
        os.environ.clear()
        os.environ.update(before)


def _measured(handler: Callable[..., Any], case: Case, conninfo: str) -> tuple[list[float], set[str]]:
    """The times of the case's requests in milliseconds, and the tables that were read as a whole for them."""
    times = []
    with psycopg.connect(conninfo, autocommit=True) as connection:
        _remember_version(connection)
        for _ in range(WARM_UP):
            handler(surroundings.event("GET", "/health"), context())
        _settle(connection)
        before = _sequential_scans(connection)
        for i in range(case.count):
            if i % 50 == 0:
                # Faster than any user may ask: the buckets are emptied, not the limits lifted.
                connection.execute("UPDATE rate_limits SET drained_at = now() WHERE drained_at > now()")
            event, about = case.make(i), context()
            started = time.perf_counter()
            answer = handler(event, about)
            times.append((time.perf_counter() - started) * 1000)
            if answer["statusCode"] != case.status:
                raise AssertionError(f"{case.method} {case.path} answered {answer['statusCode']}: {answer['body']}")
        _settle(connection)
        after = _sequential_scans(connection)
    return times, {table for table, count in after.items() if count > before.get(table, 0)}


def _control() -> tuple[float, float]:
    """p50 and p95 of work that takes the same each time: what it takes longer now and then is the machine's doing."""
    times = []
    for _ in range(SUBJECTS):
        started, worked = time.perf_counter(), time.thread_time()
        while time.thread_time() - worked < 0.005:
            pass
        times.append((time.perf_counter() - started) * 1000)
    return quantile(times, 0.5), quantile(times, 0.95)


def _settle(connection: psycopg.Connection[Any]) -> None:
    """Have all that was counted in the function's sessions be seen here."""
    from ascension.database import pool

    with pool().connection() as used:
        used.execute("SELECT pg_stat_force_next_flush()")
    connection.execute("SELECT pg_stat_clear_snapshot()")


def _sequential_scans(connection: psycopg.Connection[Any]) -> dict[str, int]:
    # Our own UPDATE of rate_limits above reads that table; its use is one lookup by primary key.
    rows = connection.execute("SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname <> 'rate_limits'")
    return dict(rows.fetchall())


def context() -> SimpleNamespace:
    return SimpleNamespace(
        function_name="ascension-bench-api",
        memory_limit_in_mb=1769,
        invoked_function_arn="arn:aws:lambda:eu-central-1:000000000000:function:ascension-bench-api",
        aws_request_id=str(uuid4()),
    )


def _remember_version(connection: psycopg.Connection[Any]) -> None:
    global _postgresql_version
    _postgresql_version = str(connection.info.parameter_status("server_version"))
