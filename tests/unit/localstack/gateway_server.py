"""A gateway like LocalStack's, without LocalStack: our handler on rolo and Twisted, with functions that are Python.

Run by the tests in LocalStack's own virtual environment (Python 3.13); prints its port. Every event that a function
gets is kept and can be read at `/events`; what no distribution and no API takes is answered with a description of the
request.
"""

# mypy: disable-error-code="import-not-found"
# (LocalStack's packages are not among those of the tests.)
from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

from ascension_local.distribution import Distribution, Distributions, EdgeHandler, behaviours_of
from ascension_local.websocket import Invocation, WebSocketGateway
from ascension_local.websocket_api import ApiRegistry, Authorizer, Integration, Route, Stage, WebSocketApi
from ascension_local.websocket_connection import Limits
from rolo import Response
from rolo.gateway import Gateway
from rolo.serving.twisted import TwistedGateway
from twisted.internet import reactor

EVENTS: list[tuple[str, dict[str, Any]]] = []
LOCK = threading.Lock()


def authorizer(event: dict[str, Any]) -> Invocation:
    ticket = event["queryStringParameters"].get("ticket")
    if ticket == "unknown":
        return Invocation(error="Unauthorized")
    if ticket == "crash":
        return Invocation(error="division by zero")
    effect = "Deny" if ticket == "denied" else "Allow"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}
    context = {"userId": "u-1", "pro": True, "level": 3}
    return Invocation(
        {
            "principalId": "u-1",
            "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
            "context": context,
        }
    )


def connect(event: dict[str, Any]) -> Invocation:
    query = event.get("queryStringParameters") or {}
    if pause := query.get("pause"):
        time.sleep(float(pause))
    if query.get("connect") == "crash":
        return Invocation(error="division by zero")
    if status := query.get("connect"):
        return Invocation({"statusCode": int(status), "body": "no room"})
    subprotocol = event["headers"].get("Sec-WebSocket-Protocol")
    return Invocation({"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": subprotocol} if subprotocol else {}})


def echo(event: dict[str, Any]) -> Invocation:
    body = event["body"]
    if '"pause"' in body:
        time.sleep(json.loads(body)["pause"])
    if '"crash"' in body:
        return Invocation(error="division by zero")
    if '"malformed"' in body:
        return Invocation("ok")
    return Invocation({"statusCode": 200, "body": body})


def disconnect(event: dict[str, Any]) -> Invocation:
    return Invocation({"statusCode": 200})


FUNCTIONS = {"authorizer": authorizer, "connect": connect, "echo": echo, "disconnect": disconnect}


def invoke(function_arn: str, event: dict[str, Any]) -> Invocation:
    name = function_arn.rsplit(":", 1)[1]
    outcome = FUNCTIONS[name](event)
    with LOCK:
        EVENTS.append((name, event))
    return outcome


def arn(name: str) -> str:
    return f"arn:aws:lambda:eu-central-1:000000000000:function:{name}"


def api(api_id: str, routes: list[Route], authorizers: list[Authorizer] | None = None) -> WebSocketApi:
    result = WebSocketApi(api_id, api_id, "$request.body.action", "eu-central-1", "000000000000")
    result.integrations = {name: Integration(name, arn(name)) for name in FUNCTIONS}
    result.authorizers = {each.authorizer_id: each for each in authorizers or []}
    result.routes = {route.route_id: route for route in routes}
    result.stages = {"api": Stage("api")}
    return result


def describe(chain: Any, context: Any, response: Response) -> None:
    request = context.request
    if request.path == "/events":
        with LOCK:
            response.set_json([{"function": name, "event": event} for name, event in EVENTS])
        return
    if request.path == "/threads":
        response.set_json(threading.active_count())
        return
    response.set_json(
        {
            "method": request.method,
            "path": request.path,
            "raw_uri": request.environ["RAW_URI"],
            "query": request.query_string.decode(),
            "headers": list(request.headers),
            "body": request.get_data().decode("latin-1"),
            "remote": request.remote_addr,
        }
    )


def main() -> None:
    registry = ApiRegistry()
    registry.add(
        api(
            "guarded",
            [
                Route("c", "$connect", "connect", "a"),
                Route("d", "$disconnect", "disconnect"),
                Route("m", "$default", "echo"),
                Route("e", "echo", "echo", responds=True),
            ],
            [Authorizer("a", "tickets", arn("authorizer"), ("route.request.querystring.ticket",))],
        )
    )
    registry.add(api("bare", [Route("e", "echo", "echo", responds=True)]))
    sockets = WebSocketGateway(registry, invoke)
    hasty = WebSocketGateway(registry, invoke, Limits(idle_s=0.3))
    registry.add(api("hasty", [Route("d", "$disconnect", "disconnect")]))
    distributions = Distributions(sockets)
    origins = [
        {"Id": "socket", "DomainName": "guarded.execute-api.eu-central-1.amazonaws.com"},
        {
            "Id": "rest",
            "DomainName": "abc123.execute-api.eu-central-1.amazonaws.com",
            "OriginCustomHeaders": [{"HeaderName": "X-Origin-Verify", "HeaderValue": "yes"}],
        },
        {"Id": "web", "DomainName": "viewer-bucket.s3.eu-central-1.amazonaws.com"},
    ]
    every = ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"]
    behaviours = [
        {"PathPattern": "/api/v1/ws", "TargetOriginId": "socket"},
        {"PathPattern": "/api/*", "TargetOriginId": "rest", "AllowedMethods": every},
        {"PathPattern": "/app/*", "TargetOriginId": "web"},
    ]
    settings = {"Origins": origins, "CacheBehaviors": behaviours}
    distributions.put(Distribution("E1", "e1.cloudfront.net", behaviours_of(settings)))

    def choose(chain: Any, context: Any, response: Response) -> None:
        # One API with a very short idle time, for the test of that.
        handler = EdgeHandler(hasty if "/hasty/" in context.request.path else sockets, distributions)
        handler(chain, context, response)

    port = reactor.listenTCP(0, TwistedGateway(Gateway([choose, describe])), interface="127.0.0.1")
    print(port.getHost().port, flush=True)
    # The test that started us holds our standard input; when it is gone, so are we.
    threading.Thread(target=lambda: (sys.stdin.read(), reactor.callFromThread(reactor.stop)), daemon=True).start()
    reactor.run(installSignalHandlers=False)


if __name__ == "__main__":
    main()
