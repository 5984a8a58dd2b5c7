"""The function as Lambda calls it: API Gateway's events in, its answers out, and what is logged on the way."""

import base64
import contextlib
import gzip
import io
import json
import logging
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from ascension.accounts import service
from ascension.database import pool

from tests.integration.api.conftest import PASSWORD, Person, Rows, load_handler
from tests.integration.api.test_path import complete

pytestmark = pytest.mark.postgres

Invoke = Callable[..., dict[str, Any]]


@pytest.fixture
def invoke(cloud: None, lambda_context: SimpleNamespace) -> Invoke:
    """Calls the function with the event of a REST API's proxy integration."""
    handler = load_handler("api").handler

    def call(method: str, path: str, body: Any = None, token: str = "", **headers: str) -> dict[str, Any]:
        path, _, query = path.partition("?")
        sent = {"Host": "api.example.org", **{name.replace("_", "-"): value for name, value in headers.items()}}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None:
            sent["Content-Type"] = "application/json"
        parameters = dict(pair.split("=") for pair in query.split("&")) if query else None
        answer: dict[str, Any] = handler(
            {
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
                # With every media type declared binary, bodies arrive as base64.
                "body": base64.b64encode(json.dumps(body).encode()).decode() if body is not None else None,
                "isBase64Encoded": body is not None,
            },
            lambda_context,
        )
        return answer

    return call


def body_of(answer: dict[str, Any]) -> Any:
    content = base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"].encode()
    headers = {name.lower(): value for name, value in answer["headers"].items()}
    return json.loads(gzip.decompress(content) if headers.get("content-encoding") == "gzip" else content)


def test_a_user_registers_and_logs_in_through_the_gateway(invoke: Invoke) -> None:
    email = f"{uuid4().hex}@example.org"
    registered = invoke("POST", "/auth/register", {"email": email, "password": PASSWORD})
    assert registered["statusCode"] == 201
    assert registered["isBase64Encoded"] is False
    tokens = body_of(invoke("POST", "/auth/login", {"email": email, "password": PASSWORD}))
    profile = invoke("GET", "/me", token=tokens["access_token"])
    assert body_of(profile)["email"] == email


def test_the_answer_carries_the_gateways_request_id(invoke: Invoke) -> None:
    answer = invoke("GET", "/me")
    assert answer["statusCode"] == 401
    assert body_of(answer)["request_id"] == answer["headers"]["x-request-id"]
    assert answer["headers"]["content-type"] == "application/problem+json"


def test_a_compressed_answer_passes_the_gateway_as_base64(
    invoke: Invoke, user: Person, rows: Rows, bucket: Any
) -> None:
    job_id = complete(user, rows, bucket, verbose={"form": "verbose"})
    answer = invoke("GET", f"/analysis/{job_id}?format=verbose", token=user.access_token, Accept_Encoding="gzip")
    assert answer["isBase64Encoded"] is True
    assert body_of(answer)["result"] == {"form": "verbose"}
    plain = invoke("GET", f"/analysis/{job_id}?format=verbose", token=user.access_token)
    assert plain["isBase64Encoded"] is False
    assert body_of(plain) == body_of(answer)


@pytest.fixture
def logged(invoke: Invoke) -> Iterator[io.StringIO]:
    """What the function logs. Its handlers hold on to the stream that was standard output when they were made."""
    stream = io.StringIO()
    with contextlib.ExitStack() as stack:
        for handler in logging.getLogger("ascension").handlers:
            assert isinstance(handler, logging.StreamHandler)
            before = handler.setStream(stream)
            stack.callback(handler.setStream, before)
        yield stream


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/nowhere", 404, "not-found"),
        ("GET", "/", 404, "not-found"),
        ("GET", "/me/", 404, "not-found"),
        ("GET", "/videos/x", 404, "not-found"),
        ("GET", "/analysis/bulk", 405, "method-not-allowed"),
        ("PATCH", "/me", 405, "method-not-allowed"),
        ("PATCH", "/api-keys", 405, "method-not-allowed"),
        ("GET", "/auth/login", 405, "method-not-allowed"),
    ],
)
def test_what_is_not_there_is_a_problem_too(invoke: Invoke, method: str, path: str, status: int, kind: str) -> None:
    answer = invoke(method, path)
    assert answer["statusCode"] == status
    assert body_of(answer)["type"] == kind
    if status == 405:
        allowed = {"/me": "GET, DELETE", "/api-keys": "GET, POST", "/auth/login": "POST", "/analysis/bulk": "POST"}
        assert answer["headers"]["allow"] == allowed[path]


def test_an_oversize_body_is_refused(invoke: Invoke) -> None:
    answer = invoke("POST", "/auth/login", {"email": "a@example.org", "password": "x" * 300_000})
    assert answer["statusCode"] == 413
    assert body_of(answer)["type"] == "body-too-large"


def test_our_own_mistakes_are_logged_and_not_shown(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch, logged: io.StringIO
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("an inner detail")

    monkeypatch.setattr(service, "login", broken)
    answer = invoke("POST", "/auth/login", {"email": "a@example.org", "password": PASSWORD})
    assert answer["statusCode"] == 500
    assert body_of(answer)["type"] == "internal"
    assert "inner detail" not in answer["body"]
    entries = [json.loads(line) for line in logged.getvalue().splitlines()]
    assert any("an inner detail" in entry.get("exception", "") for entry in entries)


def test_health_needs_the_database(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    healthy = invoke("GET", "/health")
    assert healthy["statusCode"] == 200
    assert body_of(healthy)["status"] == "ok"
    assert body_of(healthy)["version"]
    from psycopg_pool import PoolTimeout

    class Unreachable:
        def connection(self, timeout: float) -> Any:
            raise PoolTimeout("no connection")

    monkeypatch.setattr("ascension_api.endpoints.health.pool", Unreachable)
    ill = invoke("GET", "/health")
    assert ill["statusCode"] == 503
    assert body_of(ill)["type"] == "temporarily-unavailable"
    assert pool() is not None


def test_logs_are_json_with_the_request_and_hold_no_secret(
    invoke: Invoke, user: Person, rows: Rows, bucket: Any, logged: io.StringIO
) -> None:
    secrets = [PASSWORD, user.access_token, user.refresh_token]
    ticket = body_of(invoke("POST", "/ws/ticket", token=user.access_token))
    assert ticket["url"] == f"ws://127.0.0.1:4566/api/v1/ws?ticket={ticket['ticket']}"
    assert ticket["expires_in"] == 30
    secrets.append(ticket["ticket"])
    upload = {"filename": "a.mp4", "content_type": "video/mp4", "file_size_bytes": 1}
    url = body_of(invoke("POST", "/analysis/request-upload", upload, token=user.access_token))["upload"]["url"]
    secrets.append(url.partition("X-Amz-Signature=")[2])
    session = body_of(invoke("POST", "/auth/login", {"email": user.email, "password": PASSWORD}))
    secrets += [session["access_token"], session["refresh_token"]]
    job_id = complete(user, rows, bucket)
    rows("UPDATE users SET subscription_tier = 'pro' WHERE id = %s", user.id)
    link = body_of(invoke("POST", f"/analysis/{job_id}/shares", {}, token=user.access_token))
    secrets.append(link["token"])
    for path in ("", "/thumbnail", "/thumbnail/nothing"):
        invoke("GET", f"/shared/{link['token']}{path}")
    invoke("POST", "/auth/refresh", {"refresh_token": session["refresh_token"]})
    invoke("GET", "/me", token="not.a.token")
    text = logged.getvalue()
    answered = [entry for entry in map(json.loads, text.splitlines()) if entry["message"] == "answered"]
    assert len(answered) == 10
    assert all(entry["request_id"] and entry["path"] and entry["status"] for entry in answered)
    assert answered[0]["user_id"] == user.id
    for secret in secrets:
        assert secret not in text
