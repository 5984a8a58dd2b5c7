"""A WebSocket API of API Gateway on LocalStack's own port: the handshake, the messages and `@connections`.

The free LocalStack has no API Gateway v2. This handler takes what is addressed to a WebSocket API, by path
(`/_aws/socket/<api>/<stage>…`) or by host (`<api>.execute-api.…/<stage>…`), before LocalStack looks for a service
in it, and calls the functions through LocalStack's Lambda (`invoke`, which the caller passes in).
"""

from __future__ import annotations

import json
import logging
import re
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from rolo import Request, Response
from rolo.websocket import WebSocketRequest
from werkzeug.datastructures import Headers

from ascension_local import websocket_api as apis
from ascension_local.websocket_api import ApiRegistry, ConnectionFacts, Handshake, Refused, Route, WebSocketApi
from ascension_local.websocket_connection import (
    ConnectionCongested,
    ConnectionGone,
    Limits,
    SocketProtocol,
    in_reactor,
    open_socket,
    reactor,
)

LOG = logging.getLogger(__name__)

PATH_PREFIX = "/_aws/socket"
_BY_PATH = re.compile(rf"{PATH_PREFIX}/(?P<api>[A-Za-z0-9]+)/(?P<stage>[^/]+)(?P<rest>/.*)?$")
_BY_HOST = re.compile(r"(?P<api>[A-Za-z0-9]+)\.execute-api\.")
_CONNECTIONS = re.compile(r"/@connections/(?P<connection>[^/]+)/?$")


@dataclass(frozen=True)
class Invocation:
    """What a function returned: its decoded answer, or the message of the error it ended with."""

    answer: Any = None
    error: str | None = None


Invoke = Callable[[str, dict[str, Any]], Invocation]
"""Calls a function by its ARN with an event and waits for it; never raises for what the function did."""


class Connection:
    """An open socket with the work it has given rise to, done one after the other in threads of the gateway."""

    def __init__(self, facts: ConnectionFacts, wsproto: Any, limits: Limits, gateway: WebSocketGateway) -> None:
        self.facts = facts
        self.last_active_at = apis.now_ms()
        self._gateway = gateway
        self._work: deque[Callable[[], None]] = deque()
        self._working = False
        self._lock = threading.Lock()
        self.protocol = SocketProtocol(wsproto, limits, self._on_message, self._on_activity, self._on_end)

    def send(self, message: str | bytes) -> None:
        """Sends a message from any thread; raises ConnectionGone or ConnectionCongested."""
        in_reactor(self.protocol.send, message)

    def close(self, code: int = 1000, reason: str = "Connection Closed Normally") -> None:
        """Closes the socket from any thread."""
        in_reactor(self.protocol.close, code, reason)

    def _on_activity(self) -> None:
        self.last_active_at = apis.now_ms()

    def _on_message(self, body: str | bytes) -> None:
        self._do(lambda: self._gateway.message_arrived(self, body))

    def _on_end(self, code: int, reason: str) -> None:
        self._gateway.forget(self)
        self._do(lambda: self._gateway.disconnected(self.facts, code, reason))

    def _do(self, work: Callable[[], None]) -> None:
        with self._lock:
            self._work.append(work)
            if self._working:
                return
            self._working = True
        reactor.callInThread(self._drain)

    def _drain(self) -> None:
        while True:
            with self._lock:
                if not self._work:
                    self._working = False
                    return
                work = self._work.popleft()
            try:
                work()
            except Exception:
                LOG.exception("Event of connection %s of API %s lost", self.facts.connection_id, self.facts.api.api_id)


class WebSocketGateway:
    """Everything that clients and functions can ask of WebSocket APIs."""

    def __init__(self, registry: ApiRegistry, invoke: Invoke, limits: Limits | None = None) -> None:
        self.registry = registry
        self._invoke = invoke
        self._limits = limits or Limits()
        self._connections: dict[str, Connection] = {}

    # Requests

    def handle(self, request: Request | WebSocketRequest, response: Response) -> bool:
        """Serves the request if it is for a WebSocket API that exists and fills in the response; else False.

        A handshake that is granted leaves the response as it is: the socket then has its own life.
        """
        path = request.path
        if match := _BY_PATH.match(path):
            api = self.registry.find(match["api"])
            stage, rest = match["stage"], match["rest"] or ""
            if api is None:
                _refuse(request, response, 404, "Not Found")
                return True
        elif match := _BY_HOST.match(request.host):
            api = self.registry.find(match["api"])
            if api is None:
                return False
            stage, _, rest = path.strip("/").partition("/")
            rest = f"/{rest}" if rest else ""
        else:
            return False
        self.serve(api, stage, rest, request, response)
        return True

    def serve(
        self, api: WebSocketApi, stage: str, rest: str, request: Request | WebSocketRequest, response: Response
    ) -> None:
        """Serves a request for a stage of an API; `rest` is the path behind the stage."""
        if stage not in api.stages:
            _refuse(request, response, 403, "Forbidden")
        elif isinstance(request, WebSocketRequest):
            if rest in ("", "/"):
                self._connect(api, stage, request)
            else:
                _refuse(request, response, 403, "Forbidden")
        elif match := _CONNECTIONS.match(rest):
            self._manage(api, stage, unquote(match["connection"]), request, response)
        else:
            # An ordinary request to a WebSocket API.
            _answer(response, 403, {"message": "Missing Authentication Token"}, "MissingAuthenticationTokenException")

    # The handshake

    def _connect(self, api: WebSocketApi, stage: str, request: WebSocketRequest) -> None:
        channel = request.socket.channel  # type: ignore[attr-defined]  # rolo's Twisted adapter
        facts = ConnectionFacts(api, stage, apis.new_connection_id(), apis.now_ms(), _handshake_of(api, request))
        try:
            facts, subprotocol = self._grant(facts)
        except Refused as refusal:
            _reject(request, refusal.status, refusal.body)
            return
        connection = Connection(facts, channel.wsproto, self._limits, self)
        if not open_socket(channel.request, connection.protocol, subprotocol, lambda: self._remember(connection)):
            self.disconnected(facts, 1006, "")

    def _grant(self, facts: ConnectionFacts) -> tuple[ConnectionFacts, str | None]:
        """Asks the authorizer and the `$connect` function; the subprotocol they agreed to, if any."""
        route = facts.api.route(apis.CONNECT)
        if route is None:
            return facts, None
        authorizer = facts.api.authorizer_of(route)
        if authorizer is not None:
            if not apis.has_identity(authorizer, facts.handshake):
                raise Refused(401, {"message": "Unauthorized"})
            outcome = self._invoke(authorizer.function_arn, apis.authorizer_event(facts))
            if outcome.error is not None:
                if outcome.error == "Unauthorized":
                    raise Refused(401, {"message": "Unauthorized"})
                raise Refused(500, {"message": "Internal server error"})
            context = apis.authorized_context(outcome.answer, facts.api.execution_arn(facts.stage, apis.CONNECT))
            facts = replace(facts, authorizer=context)
        integration = facts.api.integration_of(route)
        if integration is None:
            return facts, None
        outcome = self._invoke(integration.function_arn, apis.connect_event(facts))
        status = None if outcome.error is not None else apis.proxy_status(outcome.answer)
        if status is None:
            raise Refused(502, apis.internal_error(facts))
        if not 200 <= status < 300:
            body = apis.proxy_body(outcome.answer)
            raise Refused(status, body if isinstance(body, str) else body.decode(errors="replace"))
        headers = outcome.answer.get("headers") or {}
        return facts, next((str(v) for k, v in headers.items() if k.lower() == "sec-websocket-protocol"), None)

    # The life of a socket

    def message_arrived(self, connection: Connection, body: str | bytes) -> None:
        """Calls the function of the message's route; tells the client where that fails, as API Gateway does."""
        facts = connection.facts
        route = facts.api.route_for(body)
        if route is None:
            refusal = {**apis.internal_error(facts), "message": "Forbidden"}
            _send_quietly(connection, json.dumps(refusal))
            return
        answer = self._integrate(facts, route, body)
        if answer is None:
            _send_quietly(connection, json.dumps(apis.internal_error(facts)))
        elif route.responds and (reply := apis.proxy_body(answer)):
            _send_quietly(connection, reply)

    def _integrate(self, facts: ConnectionFacts, route: Route, body: str | bytes) -> dict[str, Any] | None:
        integration = facts.api.integration_of(route)
        if integration is None:
            return None
        outcome = self._invoke(integration.function_arn, apis.message_event(facts, route.key, body))
        if outcome.error is not None or apis.proxy_status(outcome.answer) is None:
            LOG.warning("Route %s of API %s failed: %s", route.key, facts.api.api_id, outcome)
            return None
        return dict(outcome.answer)

    def disconnected(self, facts: ConnectionFacts, code: int, reason: str) -> None:
        """Calls the `$disconnect` function; what it answers matters to nobody."""
        route = facts.api.route(apis.DISCONNECT)
        integration = facts.api.integration_of(route) if route else None
        if integration is not None:
            outcome = self._invoke(integration.function_arn, apis.disconnect_event(facts, code, reason))
            if outcome.error is not None:
                LOG.warning("$disconnect of API %s failed: %s", facts.api.api_id, outcome.error)

    def _remember(self, connection: Connection) -> None:
        self._connections[connection.facts.connection_id] = connection

    def forget(self, connection: Connection) -> None:
        self._connections.pop(connection.facts.connection_id, None)

    def close_all(self, api_id: str) -> None:
        """Closes every socket of an API that is being deleted."""
        for connection in list(self._connections.values()):
            if connection.facts.api.api_id == api_id:
                connection.close(1001, "Going away")

    # @connections

    def _manage(self, api: WebSocketApi, stage: str, connection_id: str, request: Request, response: Response) -> None:
        # LocalStack takes any signature, but a call without one gets nowhere on AWS and shall get nowhere here.
        if not request.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256"):
            _answer(response, 403, {"message": "Missing Authentication Token"}, "MissingAuthenticationTokenException")
            return
        connection = self._connections.get(connection_id)
        if connection is None or connection.facts.api.api_id != api.api_id or connection.facts.stage != stage:
            _gone(response)
            return
        try:
            match request.method:
                case "POST":
                    self._post(connection, request.get_data(), response)
                case "GET":
                    _answer(response, 200, _description(connection))
                case "DELETE":
                    connection.close()
                    response.status_code = 204
                    response.data = b""
                case _:
                    _answer(response, 403, {"message": "Forbidden"}, "ForbiddenException")
        except ConnectionGone:
            _gone(response)
        except ConnectionCongested:
            _answer(response, 429, {"message": "Too many requests"}, "LimitExceededException")

    def _post(self, connection: Connection, data: bytes, response: Response) -> None:
        if len(data) > self._limits.message_bytes:
            message = f"Message too long; maximum is {self._limits.message_bytes} bytes"
            _answer(response, 413, {"message": message}, "PayloadTooLargeException")
            return
        try:
            connection.send(data.decode())
        except UnicodeDecodeError:
            connection.send(data)
        response.status_code = 200
        response.data = b""


def _handshake_of(api: WebSocketApi, request: WebSocketRequest) -> Handshake:
    environ = request.environ
    port = str(environ.get("SERVER_PORT", ""))
    return Handshake(
        headers=tuple((key, value) for key, value in request.headers),
        query_string=str(environ.get("QUERY_STRING", "")),
        source_ip=str(environ.get("REMOTE_ADDR", "")),
        host=f"{api.api_id}.execute-api.{api.region}.localhost.localstack.cloud:{port}",
        port=port,
        scheme=str(environ.get("wsgi.url_scheme", "http")),
    )


def _refuse(request: Request | WebSocketRequest, response: Response, status: int, message: str) -> None:
    if isinstance(request, WebSocketRequest):
        _reject(request, status, json.dumps({"message": message}))
    else:
        _answer(response, status, {"message": message})


def _reject(request: WebSocketRequest, status: int, body: str) -> None:
    """Answers the handshake with an ordinary HTTP response and closes: the connection speaks HTTP no more."""
    channel = request.socket.channel  # type: ignore[attr-defined]
    payload = body.encode()
    headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(payload)), "Connection": "close"})

    def reject() -> None:
        transport = channel.request.transport
        if channel.request.finished or transport is None:
            return
        channel.wsReject(status, headers, [payload])
        transport.loseConnection()

    in_reactor(reject)


def _answer(response: Response, status: int, body: dict[str, Any], error_type: str | None = None) -> None:
    response.status_code = status
    response.data = json.dumps(body).encode()
    response.headers["Content-Type"] = "application/json"
    if error_type:
        # botocore names its exception by this header.
        response.headers["x-amzn-ErrorType"] = error_type


def _gone(response: Response) -> None:
    response.status_code = 410
    response.data = b""
    response.headers["Content-Type"] = "application/json"
    response.headers["x-amzn-ErrorType"] = "GoneException"


def _description(connection: Connection) -> dict[str, Any]:
    facts = connection.facts
    identity = {"sourceIp": facts.handshake.source_ip}
    if user_agent := facts.handshake.header("user-agent"):
        identity["userAgent"] = user_agent
    return {
        "connectedAt": _iso(facts.connected_at),
        "identity": identity,
        "lastActiveAt": _iso(connection.last_active_at),
    }


def _iso(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _send_quietly(connection: Connection, message: str | bytes) -> None:
    try:
        connection.send(message)
    except (ConnectionGone, ConnectionCongested):
        LOG.debug("Connection %s has gone before its answer", connection.facts.connection_id)
