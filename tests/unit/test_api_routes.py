"""What the template lets through to the API's function, and what the function answers to, are the same."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ascension_api.app import create_app

from tests.unit.test_functions import ROOT, Loader

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    found: dict[str, Any] = yaml.load((ROOT / "template.yaml").read_text(), Loader)["Resources"]  # noqa: S506
    return found


@pytest.fixture(scope="module")
def gateway_routes(resources: dict[str, Any]) -> list[tuple[str, str]]:
    """Method (or ANY) and path of every route of the REST API, all of them leading to the API's function."""
    found = []
    for name, resource in resources.items():
        for event in resource.get("Properties", {}).get("Events", {}).values():
            if event["Type"] == "Api":
                assert name == "ApiFunction"
                found.append((event["Properties"]["Method"].upper(), event["Properties"]["Path"]))
    return found


def routed(routes: list[tuple[str, str]], method: str, path: str) -> bool:
    """Whether API Gateway has a route for this: {name} is one segment, {name+} one or more."""
    for allowed, pattern in routes:
        expression = re.sub(r"\\\{\w+\\\}", "[^/]+", re.sub(r"\\\{\w+\\\+\\\}", ".+", re.escape(pattern)))
        if allowed in (method, "ANY") and re.fullmatch(expression, path):
            return True
    return False


def test_every_route_of_the_application_is_let_through(gateway_routes: list[tuple[str, str]]) -> None:
    paths = create_app().openapi()["paths"]
    assert len(paths) > 15
    for path, operations in paths.items():
        for method in operations:
            some = re.sub(r"\{\w+\}", "0b7a5a51-2d2c-4a6a-9c0a-3f9f5e4a7c10", path)
            assert routed(gateway_routes, method.upper(), f"/v1{some}"), (method, path)


def test_what_the_application_does_not_know_gets_its_problem_not_the_gateways(
    gateway_routes: list[tuple[str, str]],
) -> None:
    """A reason for one {proxy+} route: a wrong address or method is answered with 404 or 405 and Allow."""
    for method in METHODS:
        assert routed(gateway_routes, method, "/v1/nowhere/at/all")


def test_nothing_outside_of_the_version_is_let_through(gateway_routes: list[tuple[str, str]]) -> None:
    for path in ("/", "/v2/me", "/me", "/v1me"):
        assert not routed(gateway_routes, "GET", path)


def test_the_function_takes_off_what_the_template_puts_before_its_paths(
    gateway_routes: list[tuple[str, str]],
) -> None:
    handler = (ROOT / "functions" / "api" / "handler.py").read_text()
    base = re.search(r'api_gateway_base_path="([^"]+)"', handler)
    assert base is not None
    assert {path.split("{")[0].rstrip("/") for _, path in gateway_routes} == {base[1]}


def test_the_sample_events_are_those_of_the_templates_routes(gateway_routes: list[tuple[str, str]]) -> None:
    for sample in Path(ROOT / "events").glob("api-*.json"):
        event = json.loads(sample.read_text())
        assert event["resource"] in {path for _, path in gateway_routes}
        assert routed(gateway_routes, event["httpMethod"], event["path"])


def test_the_gateways_own_answers_are_problems_that_pages_may_read(resources: dict[str, Any]) -> None:
    responses = resources["RestApi"]["Properties"]["GatewayResponses"]
    assert {"DEFAULT_4XX", "DEFAULT_5XX", "THROTTLED", "REQUEST_TOO_LARGE", "UNAUTHORIZED"} <= responses.keys()
    for kind, response in responses.items():
        headers = response["ResponseParameters"]["Headers"]
        assert headers["Content-Type"] == "'application/problem+json'", kind
        assert headers["Access-Control-Allow-Origin"] == "'*'", kind
        body = json.loads(response["ResponseTemplates"]["application/json"])
        assert body.keys() == {"type", "title", "status", "detail", "request_id"}, kind
        assert body["status"] == response["StatusCode"], kind
        if body["status"] in (429, 502, 504):
            assert "Retry-After" in headers, kind


def test_the_gateway_throttles(resources: dict[str, Any]) -> None:
    (settings,) = resources["RestApi"]["Properties"]["MethodSettings"]
    assert (settings["ResourcePath"], settings["HttpMethod"]) == ("/*", "*")
    assert 0 < settings["ThrottlingRateLimit"] <= settings["ThrottlingBurstLimit"]
    plan = resources["UsagePlan"]["Properties"]
    assert plan["Throttle"]
    assert plan["Quota"]
