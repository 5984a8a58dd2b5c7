"""A distribution's behaviours on the gateway port: what its origins get of a viewer's request."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.unit.localstack.local_gateway import LocalGateway


def header(seen: dict[str, Any], name: str) -> str | None:
    """A header as the origin sees it."""
    return next((value for key, value in seen["headers"] if key.lower() == name.lower()), None)


def test_api_gets_the_request_as_it_is_under_its_own_host(gateway: LocalGateway) -> None:
    body = bytes(range(256))
    answer = httpx.put(
        f"{gateway.http_url}/api/v1/videos/a%2Fb%20c?n=1&n=2&empty=",
        content=body,
        headers={"Authorization": "Bearer t", "Origin": "https://elsewhere.example", "If-None-Match": '"x"'},
    )
    seen = answer.json()
    assert (seen["method"], seen["raw_uri"]) == ("PUT", "/api/v1/videos/a%2Fb%20c?n=1&n=2&empty=")
    assert seen["query"] == "n=1&n=2&empty="
    assert seen["body"].encode("latin-1") == body
    assert header(seen, "Host") == "abc123.execute-api.eu-central-1.amazonaws.com"
    assert header(seen, "Authorization") == "Bearer t"
    assert header(seen, "Origin") == "https://elsewhere.example"
    assert header(seen, "If-None-Match") == '"x"'
    assert header(seen, "X-Origin-Verify") == "yes"
    assert seen["remote"] == "127.0.0.1"


def test_preflight_is_for_the_function_to_answer(gateway: LocalGateway) -> None:
    headers = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    seen = httpx.options(f"{gateway.http_url}/api/v1/auth/login", headers=headers).json()
    assert (seen["method"], header(seen, "Access-Control-Request-Method")) == ("OPTIONS", "POST")


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/app/index.html", "/app/index.html"),
        ("/app/", "/app/index.html"),
        ("/app/assets/%C3%BCber%20uns.js?v=3", "/app/assets/%C3%BCber%20uns.js"),
    ],
)
def test_bucket_gets_a_plain_read_without_the_viewers_credentials(gateway: LocalGateway, path: str, key: str) -> None:
    headers = {"Authorization": "Bearer t", "Cookie": "a=b", "Range": "bytes=0-9"}
    seen = httpx.get(f"{gateway.http_url}{path}", headers=headers).json()
    assert seen["raw_uri"] == key
    assert (header(seen, "Host") or "").startswith("viewer-bucket.s3.")
    assert header(seen, "Authorization") is None
    assert header(seen, "Cookie") is None
    assert header(seen, "Range") == "bytes=0-9"


def test_method_that_the_behaviour_does_not_allow_is_refused(gateway: LocalGateway) -> None:
    assert httpx.put(f"{gateway.http_url}/app/index.html", content=b"mine").status_code == 403


def test_socket_path_leads_to_the_stage_of_the_websocket_api(gateway: LocalGateway) -> None:
    with connect(f"{gateway.ws_url}/api/v1/ws?ticket=good", additional_headers={"X-Mark": "through"}) as client:
        event = gateway.wait_for("connect", lambda each: each["headers"].get("X-Mark") == "through")
        client.send('{"action": "echo"}')
        assert client.recv(timeout=10) == '{"action": "echo"}'
    assert event["requestContext"]["stage"] == "api"
    assert event["queryStringParameters"] == {"ticket": "good"}
    assert event["headers"]["Host"].startswith("guarded.execute-api.")


def test_socket_path_refuses_as_the_api_does(gateway: LocalGateway) -> None:
    with pytest.raises(InvalidStatus) as refusal, connect(f"{gateway.ws_url}/api/v1/ws?ticket=denied"):
        pass
    assert refusal.value.response.status_code == 403
    assert httpx.get(f"{gateway.http_url}/api/v1/ws").status_code == 403


@pytest.mark.parametrize("path", ["/", "/API/v1/health", "/application/x", "/bucket/api/v1"])
def test_path_outside_every_behaviour_stays_with_localstack(gateway: LocalGateway, path: str) -> None:
    seen = httpx.get(f"{gateway.http_url}{path}").json()
    assert seen["raw_uri"] == path
    assert header(seen, "Host") == f"127.0.0.1:{gateway.port}"


@pytest.mark.parametrize(
    "request_to_aws",
    [
        {"headers": {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/s3/aws4_request"}},
        {"params": {"X-Amz-Signature": "0123"}},
        {"headers": {"Host": "uploads.s3.localhost.localstack.cloud:4566"}},
        {"headers": {"Host": "abc123.execute-api.eu-central-1.amazonaws.com"}},
    ],
)
def test_request_to_an_aws_service_is_not_taken_for_a_page(
    gateway: LocalGateway, request_to_aws: dict[str, Any]
) -> None:
    seen = httpx.put(f"{gateway.http_url}/app/object", content=b"x", **request_to_aws).json()
    assert seen["method"] == "PUT"
    assert header(seen, "X-Origin-Verify") is None
