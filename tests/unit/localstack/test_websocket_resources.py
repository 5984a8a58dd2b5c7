"""The resource types for WebSocket APIs and distributions, called as LocalStack's CloudFormation calls them."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.localstack.conftest import LOCALSTACK_PYTHON, REPOSITORY

Call = Callable[..., dict[str, Any]]

FUNCTION = "arn:aws:lambda:eu-central-1:000000000000:function:socket"
URI = f"arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Call]:
    """Calls a provider: `call("Api", "create", desired, previous)`; short names are API Gateway v2's."""
    if not LOCALSTACK_PYTHON.exists():
        pytest.skip("LocalStack's virtual environment is not there: scripts/localstack-venv makes it")
    process = subprocess.Popen(
        [str(LOCALSTACK_PYTHON), "-W", "ignore", str(Path(__file__).with_name("resource_calls.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=tmp_path_factory.mktemp("localstack"),
        env={
            "PYTHONPATH": str(REPOSITORY / "localstack"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "GATEWAY_LISTEN": "127.0.0.1:4777",
            "HOME": str(tmp_path_factory.getbasetemp()),
        },
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    def ask(line: dict[str, Any]) -> dict[str, Any]:
        stdin.write(json.dumps(line) + "\n")
        stdin.flush()
        answer: dict[str, Any] = json.loads(stdout.readline())
        return answer

    def make(
        kind: str, action: str = "", desired: dict[str, Any] | None = None, previous: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        if not action:
            return ask({"path": kind})
        full = kind if "::" in kind else f"AWS::ApiGatewayV2::{kind}"
        return ask({"type": full, "action": action, "desired": desired or {}, "previous": previous})

    try:
        yield make
    finally:
        stdin.close()
        process.wait(timeout=10)


@pytest.fixture
def api_id(call: Call) -> str:
    properties = {"Name": "s", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"}
    return str(call("Api", "create", properties)["ref"])


def test_api_refers_to_its_id_and_has_an_endpoint_on_the_gateway_port(call: Call) -> None:
    properties = {"Name": "s", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"}
    created = call("Api", "create", properties)
    assert created["status"] == "SUCCESS"
    assert re.fullmatch("[a-z0-9]{10}", created["ref"])
    assert created["model"]["ApiEndpoint"] == f"ws://127.0.0.1:4777/_aws/socket/{created['ref']}"
    updated = call("Api", "update", {**properties, "Name": "t"}, created["model"])
    assert (updated["ref"], updated["model"]["ApiEndpoint"]) == (created["ref"], created["model"]["ApiEndpoint"])


@pytest.mark.parametrize(
    ("kind", "properties", "named"),
    [
        ("Api", {"ProtocolType": "HTTP"}, "ProtocolType"),
        ("Api", {"ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.header.x"}, "$request.header.x"),
        ("Integration", {"IntegrationType": "HTTP_PROXY"}, "IntegrationType"),
        ("Integration", {"IntegrationType": "AWS_PROXY", "IntegrationUri": "https://example.org"}, "example.org"),
        ("Authorizer", {"AuthorizerType": "JWT"}, "REQUEST"),
        ("Route", {"RouteKey": "$connect", "AuthorizationType": "AWS_IAM"}, "AWS_IAM"),
        ("Route", {"RouteKey": "$default", "AuthorizationType": "CUSTOM"}, r"$connect"),
        ("RouteResponse", {"RouteId": "nothing"}, "nothing"),
    ],
)
def test_what_does_not_work_here_fails_by_name(
    call: Call, api_id: str, kind: str, properties: dict[str, Any], named: str
) -> None:
    failed = call(kind, "create", {"ApiId": api_id, **properties})
    assert failed["status"] == "FAILED"
    assert failed["message"].startswith("Thing: ")
    assert named in failed["message"]


def test_resource_of_an_api_that_does_not_exist_fails(call: Call) -> None:
    failed = call("Stage", "create", {"ApiId": "nothing", "StageName": "api"})
    assert (failed["status"], "nothing" in failed["message"]) == ("FAILED", True)


def test_route_key_belongs_to_one_route_until_that_is_deleted(call: Call, api_id: str) -> None:
    integration = call(
        "Integration", "create", {"ApiId": api_id, "IntegrationType": "AWS_PROXY", "IntegrationUri": URI}
    )
    properties = {"ApiId": api_id, "RouteKey": "$default", "Target": f"integrations/{integration['ref']}"}
    first = call("Route", "create", properties)
    assert first["status"] == "SUCCESS"
    assert call("Route", "create", properties)["status"] == "FAILED"
    assert call("Route", "delete", first["model"], first["model"])["status"] == "SUCCESS"
    assert call("Route", "create", properties)["status"] == "SUCCESS"


def test_resource_that_is_given_to_another_api_moves_there(call: Call, api_id: str) -> None:
    other = call("Api", "create", {"ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"})[
        "ref"
    ]
    route = call("Route", "create", {"ApiId": api_id, "RouteKey": "$default"})
    moved = call("Route", "update", {"ApiId": other, "RouteKey": "$default"}, route["model"])
    assert (moved["status"], moved["ref"] != route["ref"]) == ("SUCCESS", True)
    # Its key is free where it was and taken where it is.
    assert call("Route", "create", {"ApiId": api_id, "RouteKey": "$default"})["status"] == "SUCCESS"
    assert call("Route", "create", {"ApiId": other, "RouteKey": "$default"})["status"] == "FAILED"


def test_route_that_changes_stays_itself(call: Call, api_id: str) -> None:
    route = call("Route", "create", {"ApiId": api_id, "RouteKey": "$default"})
    changed = call("Route", "update", {"ApiId": api_id, "RouteKey": "other"}, route["model"])
    assert (changed["status"], changed["ref"]) == ("SUCCESS", route["ref"])
    assert call("Route", "create", {"ApiId": api_id, "RouteKey": "$default"})["status"] == "SUCCESS"


def test_stage_refers_to_its_name(call: Call, api_id: str) -> None:
    created = call("Stage", "create", {"ApiId": api_id, "StageName": "api"})
    assert created["ref"] == "api"
    assert call("Stage", "update", {"ApiId": api_id, "StageName": "prod"}, created["model"])["ref"] == "prod"


def test_deleting_twice_is_no_failure(call: Call, api_id: str) -> None:
    model = {"ApiId": api_id, "StageName": "api"}
    call("Stage", "create", model)
    for _ in range(2):
        assert call("Stage", "delete", model, model)["status"] == "SUCCESS"


def test_distribution_mounts_its_behaviours_in_their_order_until_it_is_deleted(call: Call) -> None:
    def settings(first: str) -> dict[str, Any]:
        behaviours = [
            {"PathPattern": "/api/v1/ws", "TargetOriginId": first},
            {"PathPattern": "/api/*", "TargetOriginId": "rest"},
        ]
        origins = [{"Id": each, "DomainName": f"{each}.example.org"} for each in ("socket", "rest")]
        return {"DistributionConfig": {"Enabled": True, "Origins": origins, "CacheBehaviors": behaviours}}

    kind = "AWS::CloudFront::Distribution"
    created = call(kind, "create", settings("socket"))
    assert created["model"]["DomainName"] == f"{created['ref'].lower()}.cloudfront.net"
    assert call("/api/v1/ws") == {"origin": "socket.example.org"}
    assert call("/api/v1/wsx") == {"origin": "rest.example.org"}
    assert call("/app/index.html") == {"origin": None}
    updated = call(kind, "update", settings("rest"), created["model"])
    assert updated["ref"] == created["ref"]
    assert call("/api/v1/ws") == {"origin": "rest.example.org"}
    call(kind, "delete", updated["model"], updated["model"])
    assert call("/api/v1/ws") == {"origin": None}


def test_behaviour_without_its_origin_fails_by_name(call: Call) -> None:
    settings = {"Origins": [], "CacheBehaviors": [{"PathPattern": "/api/*", "TargetOriginId": "rest"}]}
    failed = call("AWS::CloudFront::Distribution", "create", {"DistributionConfig": settings})
    assert (failed["status"], "rest" in failed["message"]) == ("FAILED", True)


@pytest.mark.parametrize(
    ("kind", "properties", "reference"),
    [
        ("Function", {"Name": "path"}, r"arn:aws:cloudfront::000000000000:function/path"),
        ("OriginAccessControl", {}, "[0-9a-f-]{36}"),
        ("CachePolicy", {}, "[0-9a-f-]{36}"),
        ("OriginRequestPolicy", {}, "[0-9a-f-]{36}"),
        ("ResponseHeadersPolicy", {}, "[0-9a-f-]{36}"),
    ],
)
def test_what_a_distribution_names_exists(call: Call, kind: str, properties: dict[str, Any], reference: str) -> None:
    created = call(f"AWS::CloudFront::{kind}", "create", properties)
    assert re.fullmatch(reference, created["ref"])
    assert call(f"AWS::CloudFront::{kind}", "update", properties, created["model"])["ref"] == created["ref"]
