"""What a WebSocket API of API Gateway is made of, the events it hands to functions and how it reads their answers.

Nothing in here talks to the network: the socket is in :mod:`websocket_connection`, the requests in :mod:`websocket`.
Shapes and names follow the API Gateway developer guide ("WebSocket APIs in API Gateway").
"""

from __future__ import annotations

import base64
import fnmatch
import json
import re
import secrets
import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

CONNECT, DISCONNECT, DEFAULT = "$connect", "$disconnect", "$default"
_SELECTION = re.compile(r"\$?\{?request\.body\.([A-Za-z0-9_.-]+)\}?$")
_LAMBDA_URI = re.compile(r"arn:[^:]+:apigateway:[^:]+:lambda:path/[^/]+/functions/(?P<function>arn:.+)/invocations$")
_HOP_BY_HOP = frozenset({"connection", "upgrade", "keep-alive", "transfer-encoding", "content-length", "te", "trailer"})


class InvalidResource(ValueError):
    """A template asks for something that does not exist or does not work locally; the message names it."""


@dataclass
class Integration:
    """A Lambda proxy integration."""

    integration_id: str
    function_arn: str


@dataclass
class Authorizer:
    """A REQUEST authorizer: a Lambda function asked once, during the handshake."""

    authorizer_id: str
    name: str
    function_arn: str
    identity_sources: tuple[str, ...] = ()


@dataclass
class Route:
    """A route key and where it leads; `responds` is true if the integration's answer goes back to the client."""

    route_id: str
    key: str
    integration_id: str | None
    authorizer_id: str | None = None
    responds: bool = False


@dataclass
class Stage:
    name: str
    variables: dict[str, str] = field(default_factory=dict)


@dataclass
class WebSocketApi:
    """One API and everything under it. Resources are replaced whole, so that a request never sees half a change."""

    api_id: str
    name: str
    selection_expression: str
    region: str
    account_id: str
    integrations: dict[str, Integration] = field(default_factory=dict)
    authorizers: dict[str, Authorizer] = field(default_factory=dict)
    routes: dict[str, Route] = field(default_factory=dict)
    stages: dict[str, Stage] = field(default_factory=dict)

    def route(self, key: str) -> Route | None:
        """The route with that key."""
        return next((route for route in list(self.routes.values()) if route.key == key), None)

    def route_for(self, body: str | bytes) -> Route | None:
        """The route that a message takes: the one its selection value names, else `$default`, else None.

        A client cannot name `$connect`, `$disconnect` or `$default` itself.
        """
        value = _selected(self.selection_expression, body)
        named = self.route(value) if value is not None and not value.startswith("$") else None
        return named or self.route(DEFAULT)

    def integration_of(self, route: Route) -> Integration | None:
        return self.integrations.get(route.integration_id) if route.integration_id else None

    def authorizer_of(self, route: Route) -> Authorizer | None:
        return self.authorizers.get(route.authorizer_id) if route.authorizer_id else None

    def execution_arn(self, stage: str, route_key: str) -> str:
        return f"arn:aws:execute-api:{self.region}:{self.account_id}:{self.api_id}/{stage}/{route_key}"


class ApiRegistry:
    """The APIs that exist, by id."""

    def __init__(self) -> None:
        self._apis: dict[str, WebSocketApi] = {}
        self._lock = threading.Lock()

    def add(self, api: WebSocketApi) -> None:
        with self._lock:
            self._apis[api.api_id] = api

    def remove(self, api_id: str) -> None:
        with self._lock:
            self._apis.pop(api_id, None)

    def find(self, api_id: str) -> WebSocketApi | None:
        return self._apis.get(api_id)

    def get(self, api_id: str) -> WebSocketApi:
        """The API with that id; raises InvalidResource if there is none."""
        api = self._apis.get(api_id)
        if api is None:
            raise InvalidResource(f"There is no WebSocket API {api_id!r}")
        return api


def new_id(length: int = 10) -> str:
    """An identifier of the form that API Gateway uses for its resources."""
    return "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(length))


def new_connection_id() -> str:
    """A connection id of AWS's form: 15 URL-safe characters and `=`, which clients must percent-encode in paths."""
    return base64.urlsafe_b64encode(secrets.token_bytes(11)).decode()


def function_arn_of(uri: str) -> str:
    """The function in an integration or authorizer URI; raises InvalidResource for anything but a Lambda function."""
    match = _LAMBDA_URI.match(uri)
    if match is None or "${stageVariables." in uri:
        raise InvalidResource(f"Only Lambda functions can be integrated locally, not {uri!r}")
    return match["function"]


def check_selection_expression(expression: str) -> None:
    """Raises InvalidResource unless the expression is a field of a JSON body, `$request.body.<field>`."""
    if not _SELECTION.match(expression):
        raise InvalidResource(f"RouteSelectionExpression {expression!r}: only $request.body.<field> works locally")


def _selected(expression: str, body: str | bytes) -> str | None:
    """The value that the selection expression finds in a message, or None."""
    match = _SELECTION.match(expression)
    if match is None or isinstance(body, bytes):
        return None
    try:
        value = json.loads(body)
    except ValueError:
        return None
    for name in match[1].split("."):
        if not isinstance(value, dict) or name not in value:
            return None
        value = value[name]
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None


@dataclass(frozen=True)
class Handshake:
    """What a client sent to open its socket.

    `headers` keeps order, case and repetition; `host` is the API's own name, as the origin of a distribution sees it.
    """

    headers: tuple[tuple[str, str], ...]
    query_string: str
    source_ip: str
    host: str
    port: str
    scheme: str

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(self.query_string, keep_blank_values=True)

    def event_headers(self) -> list[tuple[str, str]]:
        """The headers a function sees: the client's, without those of the hop, with those API Gateway adds."""
        skipped = _HOP_BY_HOP | {"host", "x-forwarded-port", "x-forwarded-proto", "x-forwarded-for"}
        kept = [(key, value) for key, value in self.headers if key.lower() not in skipped]
        earlier = self.header("x-forwarded-for")
        forwarded = f"{earlier}, {self.source_ip}" if earlier else self.source_ip
        return [
            ("Host", self.host),
            *kept,
            ("X-Forwarded-For", forwarded),
            ("X-Forwarded-Port", self.port),
            ("X-Forwarded-Proto", "https" if self.scheme in ("wss", "https") else "http"),
        ]


@dataclass(frozen=True)
class ConnectionFacts:
    """What stays the same for a connection's whole life."""

    api: WebSocketApi
    stage: str
    connection_id: str
    connected_at: int  # milliseconds since 1970
    handshake: Handshake
    authorizer: dict[str, Any] = field(default_factory=dict)


def now_ms() -> int:
    return int(time.time() * 1000)


def request_context(facts: ConnectionFacts, route_key: str, event_type: str) -> dict[str, Any]:
    """`requestContext` as every event of a WebSocket API carries it."""
    now = datetime.now(UTC)
    request_id = base64.urlsafe_b64encode(secrets.token_bytes(11)).decode()
    context: dict[str, Any] = {
        "routeKey": route_key,
        "eventType": event_type,
        "extendedRequestId": request_id,
        "requestTime": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "messageDirection": "IN",
        "stage": facts.stage,
        "connectedAt": facts.connected_at,
        "requestTimeEpoch": int(now.timestamp() * 1000),
        "identity": {"sourceIp": facts.handshake.source_ip},
        "requestId": request_id,
        "domainName": facts.handshake.host,
        "connectionId": facts.connection_id,
        "apiId": facts.api.api_id,
    }
    if user_agent := facts.handshake.header("user-agent"):
        context["identity"]["userAgent"] = user_agent
    if facts.authorizer:
        context["authorizer"] = dict(facts.authorizer)
    return context


def _single_and_multiple(pairs: list[tuple[str, str]]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Name to last value, and name to all values, as a Lambda proxy event has both."""
    multiple: dict[str, list[str]] = {}
    for key, value in pairs:
        multiple.setdefault(key, []).append(value)
    return {key: values[-1] for key, values in multiple.items()}, multiple


def _with_stage_variables(event: dict[str, Any], facts: ConnectionFacts) -> dict[str, Any]:
    stage = facts.api.stages.get(facts.stage)
    if stage is not None and stage.variables:
        event["stageVariables"] = dict(stage.variables)
    return event


def connect_event(facts: ConnectionFacts) -> dict[str, Any]:
    """The event of `$connect`: the only one with the client's headers and query string."""
    headers, multi_headers = _single_and_multiple(facts.handshake.event_headers())
    event: dict[str, Any] = {"headers": headers, "multiValueHeaders": multi_headers}
    if pairs := facts.handshake.query():
        event["queryStringParameters"], event["multiValueQueryStringParameters"] = _single_and_multiple(pairs)
    event["requestContext"] = request_context(facts, CONNECT, "CONNECT")
    event["isBase64Encoded"] = False
    return _with_stage_variables(event, facts)


def message_event(facts: ConnectionFacts, route_key: str, body: str | bytes) -> dict[str, Any]:
    """The event of a message; a binary one is base64."""
    context = request_context(facts, route_key, "MESSAGE")
    context["messageId"] = context["requestId"]
    binary = isinstance(body, bytes)
    text = base64.b64encode(body).decode() if isinstance(body, bytes) else body
    return _with_stage_variables({"requestContext": context, "body": text, "isBase64Encoded": binary}, facts)


def disconnect_event(facts: ConnectionFacts, code: int, reason: str) -> dict[str, Any]:
    """The event of `$disconnect`."""
    headers, multi_headers = _single_and_multiple(
        [("Host", facts.handshake.host), ("x-api-key", ""), ("X-Forwarded-For", ""), ("x-restapi", "")]
    )
    context = request_context(facts, DISCONNECT, "DISCONNECT")
    context["disconnectStatusCode"], context["disconnectReason"] = code, reason
    event = {
        "headers": headers,
        "multiValueHeaders": multi_headers,
        "requestContext": context,
        "isBase64Encoded": False,
    }
    return _with_stage_variables(event, facts)


def authorizer_event(facts: ConnectionFacts) -> dict[str, Any]:
    """The event of a REQUEST authorizer."""
    headers, multi_headers = _single_and_multiple(facts.handshake.event_headers())
    single, multiple = _single_and_multiple(facts.handshake.query())
    stage = facts.api.stages.get(facts.stage)
    return {
        "type": "REQUEST",
        "methodArn": facts.api.execution_arn(facts.stage, CONNECT),
        "headers": headers,
        "multiValueHeaders": multi_headers,
        "queryStringParameters": single,
        "multiValueQueryStringParameters": multiple,
        "stageVariables": dict(stage.variables) if stage else {},
        "requestContext": request_context(facts, CONNECT, "CONNECT"),
    }


class Refused(Exception):
    """The handshake ends with an HTTP answer instead of a socket."""

    def __init__(self, status: int, body: dict[str, Any] | str) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = json.dumps(body) if isinstance(body, dict) else body


def has_identity(authorizer: Authorizer, handshake: Handshake) -> bool:
    """False if an identity source of the authorizer is missing or empty: then it is not asked and the answer is 401."""
    query = dict(handshake.query())
    for source in authorizer.identity_sources:
        kind, _, name = source.removeprefix("route.request.").partition(".")
        if kind == "header" and not handshake.header(name):
            return False
        if kind == "querystring" and not query.get(name):
            return False
    return True


def authorized_context(answer: Any, method_arn: str) -> dict[str, Any]:
    """The `authorizer` part of later events, from what an authorizer function returned.

    Context values arrive as strings, as on AWS. Raises Refused with 403 where the policy does not allow the call, and
    with 500 where the answer is not one that API Gateway takes (no principal, no policy, a nested context value).
    """
    broken = Refused(500, {"message": "Internal server error"})
    if not isinstance(answer, dict) or not isinstance(answer.get("principalId"), str):
        raise broken
    policy, context = answer.get("policyDocument"), answer.get("context") or {}
    if not isinstance(policy, dict) or not isinstance(context, dict):
        raise broken
    if not _allows(policy, method_arn):
        raise Refused(403, {"message": "User is not authorized to access this resource"})
    strings: dict[str, Any] = {"principalId": answer["principalId"]}
    for key, value in context.items():
        if isinstance(value, bool):
            strings[key] = "true" if value else "false"
        elif isinstance(value, str | int | float):
            strings[key] = str(value)
        elif value is not None:
            raise broken
    return strings


def _listed(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)] if value is not None else []


def _matches(value: str, pattern: str) -> bool:
    """IAM's patterns: only `*` and `?` mean something."""
    return fnmatch.fnmatchcase(value, pattern.replace("[", "[[]"))


def _allows(policy: dict[str, Any], method_arn: str) -> bool:
    """Whether the policy allows `execute-api:Invoke` on the method; a Deny wins, silence is a refusal."""
    allowed = False
    statements = policy.get("Statement") or []
    for statement in statements if isinstance(statements, list) else [statements]:
        if statement.get("Condition"):
            raise Refused(500, {"message": "Internal server error"})
        actions = (action.lower() for action in _listed(statement.get("Action")))
        if not any(_matches("execute-api:invoke", action) for action in actions):
            continue
        if any(_matches(method_arn, resource) for resource in _listed(statement.get("Resource"))):
            if str(statement.get("Effect")).lower() == "deny":
                return False
            allowed = True
    return allowed


def proxy_status(answer: Any) -> int | None:
    """The status code in a Lambda proxy answer, or None for an answer that API Gateway calls malformed."""
    if not isinstance(answer, dict):
        return None
    try:
        return int(answer["statusCode"])
    except (KeyError, TypeError, ValueError):
        return None


def proxy_body(answer: dict[str, Any]) -> str | bytes:
    """The body in a Lambda proxy answer."""
    body = answer.get("body") or ""
    text = body if isinstance(body, str) else json.dumps(body)
    return base64.b64decode(text) if answer.get("isBase64Encoded") else text


def internal_error(facts: ConnectionFacts) -> dict[str, str]:
    """What a client gets where its integration failed."""
    return {
        "message": "Internal server error",
        "connectionId": facts.connection_id,
        "requestId": str(uuid.uuid4()),
    }
