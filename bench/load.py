"""The read routes through the local cloud, and an empty function behind the same gateway: 20 requests a second.

The rate is kept whatever the answers take (an open loop), and a request's time counts from when it was due. Every
fourth request goes to the empty function, so that both see the same minute. It wants a quiet machine: the cloud, the
functions and the clients share its cores.
"""

import io
import itertools
import os
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import boto3
import httpx
import psycopg

from bench.report import Goal, NotNow, Report, Table, quantile
from bench.surroundings import cloud

REQUESTS_A_SECOND = 20
SECONDS = 60
GOAL_MS = 200.0
MAX_LOAD = 1.5
_PASSWORD = "three blue volumes"  # noqa: S105
_EMPTY = "def handler(event, context):\n    return {'statusCode': 200, 'body': '{}'}\n"


@dataclass(frozen=True)
class Answer:
    """One request: which route, how long it took in milliseconds, and whether it was answered as it should be."""

    route: str
    ms: float
    good: bool


def measure() -> Report:
    """Bring up a local cloud of its own, load it, take it down."""
    if (load := os.getloadavg()[0]) > MAX_LOAD:
        raise NotNow(f"the machine is busy (load {load:.1f}, {MAX_LOAD} at most)")
    with cloud() as stack:
        client = httpx.Client(timeout=30, limits=httpx.Limits(max_connections=64))
        reads = _reads(client, stack)
        empty = _empty_function(stack)
        # Several at a time, so that there are environments for them all: what cold starts cost is measured elsewhere.
        with ThreadPoolExecutor(4) as threads:
            warming = [*reads.values(), (empty, {})] * 4
            list(threads.map(lambda request: client.get(request[0], headers=request[1]), warming))
        answers = _loaded(client, reads, empty)
    table = Table("milliseconds from when it was due to the answer", ("route", "requests", "p50", "p95", "errors"))
    by_route = itertools.groupby(sorted(answers, key=lambda answer: answer.route), key=lambda answer: answer.route)
    groups = {route: list(found) for route, found in by_route}
    ours = [answer for answer in answers if answer.route != "the empty function"]
    for route, found in [*groups.items(), ("all read routes", ours)]:
        table.rows.append([route, len(found), *_quantiles(found), sum(not answer.good for answer in found)])
    p50, p95 = _quantiles(ours)
    p50_of_empty, p95_of_empty = _quantiles(groups["the empty function"])
    errors = sum(not answer.good for answer in ours)
    return Report(
        [table],
        goals=[
            Goal(f"p95 of all read routes under {GOAL_MS:.0f} ms ({p95:.0f} ms)", p95 < GOAL_MS),
            Goal(f"no error ({errors})", errors == 0),
        ],
        notes=[
            f"Against the empty function: p50 {p50 / p50_of_empty:.2f} times, p95 {p95 / p95_of_empty:.2f} times.",
            f"{REQUESTS_A_SECOND} requests a second to the read routes for {SECONDS} s, a third as many to the other.",
        ],
        packages=("fastapi", "mangum", "psycopg", "httpx"),
    )


def _quantiles(answers: list[Answer]) -> tuple[float, float]:
    times = [answer.ms for answer in answers]
    return round(quantile(times, 0.5), 1), round(quantile(times, 0.95), 1)


def _reads(client: httpx.Client, stack: dict[str, str]) -> dict[str, tuple[str, dict[str, str]]]:
    """Address and headers of a request of each read route, by its name, for a user with something to read."""
    api = stack["api_url"]
    account = {"email": f"load-{uuid4().hex[:8]}@example.org", "password": _PASSWORD}
    user_id = client.post(f"{api}/auth/register", json=account).raise_for_status().json()["user"]["id"]
    token = client.post(f"{api}/auth/login", json=account).raise_for_status().json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"}
    with psycopg.connect(stack["database_url"], autocommit=True) as connection:
        connection.execute("UPDATE users SET subscription_tier = 'enterprise' WHERE id = %s", (user_id,))
    upload = {"filename": "climb.mp4", "content_type": "video/mp4", "file_size_bytes": 1000, "start": {}}
    announced = [
        client.post(f"{api}/analysis/request-upload", json=upload, headers=headers).raise_for_status().json()
        for _ in range(20)
    ]
    from bench.filling import large_result

    with psycopg.connect(stack["database_url"], autocommit=True) as connection:
        connection.execute(
            "UPDATE analyses SET status = 'completed', result = %s, result_etag = id::text WHERE user_id = %s",
            (large_result(), user_id),
        )
    job, video = announced[0]["job_id"], announced[0]["video_id"]
    paths = {
        "GET /health": "/health",
        "GET /me": "/me",
        "GET /analysis": "/analysis",
        "GET /analysis/{job_id}": f"/analysis/{job}",
        "GET /videos": "/videos",
        "GET /videos/{video_id}": f"/videos/{video}",
        "GET /api-keys": "/api-keys",
        "GET /models": "/models",
    }
    return {name: (api + path, headers) for name, path in paths.items()}


def _empty_function(stack: dict[str, str]) -> str:
    """The address of a function that does nothing, behind a REST API of the same gateway."""
    client: dict[str, Any] = {
        name: boto3.client(
            name,
            endpoint_url=stack["aws_endpoint_url"],
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106
        )
        for name in ("lambda", "apigateway")
    }
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("handler.py", _EMPTY)
    function = client["lambda"].create_function(
        FunctionName="bench-empty",
        Runtime="python3.13",
        Handler="handler.handler",
        Role="arn:aws:iam::000000000000:role/bench",
        Code={"ZipFile": code.getvalue()},
        Timeout=10,
    )["FunctionArn"]
    client["lambda"].get_waiter("function_active_v2").wait(FunctionName="bench-empty")
    gateway = client["apigateway"]
    api = gateway.create_rest_api(name="bench-empty")["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    place = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    gateway.put_method(**place, authorizationType="NONE")
    gateway.put_integration(
        **place,
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations",
    )
    gateway.create_deployment(restApiId=api, stageName="bench")
    return f"{stack['aws_endpoint_url']}/_aws/execute-api/{api}/bench/"


def _loaded(client: httpx.Client, reads: dict[str, tuple[str, dict[str, str]]], empty: str) -> list[Answer]:
    """Send what is due when it is due."""
    routes = itertools.cycle(reads.items())
    due: list[tuple[float, str, str, dict[str, str]]] = []
    for number in range(REQUESTS_A_SECOND * SECONDS):
        name, (address, headers) = next(routes)
        due.append((number / REQUESTS_A_SECOND, name, address, headers))
        if number % 3 == 0:
            due.append(((number + 0.5) / REQUESTS_A_SECOND, "the empty function", empty, {}))
    begun = time.perf_counter()

    def send(at: float, name: str, address: str, headers: dict[str, str]) -> Answer:
        try:
            good = client.get(address, headers=headers).status_code == 200
        except httpx.HTTPError:
            good = False
        return Answer(name, (time.perf_counter() - begun - at) * 1000, good)

    with ThreadPoolExecutor(48) as threads:
        sent = []
        for at, name, address, headers in due:
            time.sleep(max(0.0, begun + at - time.perf_counter()))
            sent.append(threads.submit(send, at, name, address, headers))
        return [future.result() for future in sent]
