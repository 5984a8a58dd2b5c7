"""The WebSocket's function: who may connect, who is connected, and ping."""

import json
from typing import Any
from uuid import UUID

from ascension.accounts.problems import NotAuthenticated
from ascension.accounts.signing import signing_keys
from ascension.accounts.tokens import bearer_token, user_of_access_token
from ascension.logs import function_logger
from ascension.sockets import connections, tickets
from aws_lambda_powertools import Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = function_logger()
metrics = Metrics()
tracer = Tracer()

# Without keys that deserve the name the function does not start.
signing_keys()


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    if event.get("type") == "REQUEST":
        return authorize(event)
    request = event["requestContext"]
    route, connection_id = request["routeKey"], request["connectionId"]
    if route == "$connect":
        return connect(connection_id, UUID(request["authorizer"]["user_id"]))
    if route == "$disconnect":
        _count("ConnectionsClosed")
        connections.closed(connection_id)
        return {"statusCode": 200}
    _count("MessagesReceived")
    if _action(event.get("body")) == "ping":
        connections.send(connection_id, b'{"event": "pong"}')
    return {"statusCode": 200}


def authorize(event: dict[str, Any]) -> dict[str, Any]:
    """Answer the authorizer's request: a ticket in the query string (browsers) or a bearer header (apps)."""
    user_id = _identified(event)
    _count("ConnectionsAllowed" if user_id else "ConnectionsDenied")
    logger.info("asked to connect", allowed=user_id is not None, user_id=user_id)
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Action": "execute-api:Invoke",
                "Effect": "Allow" if user_id else "Deny",
                "Resource": event["methodArn"],
            }
        ],
    }
    return {
        "principalId": str(user_id or "stranger"),
        "policyDocument": policy,
        "context": {"user_id": str(user_id)} if user_id else {},
    }


def connect(connection_id: str, user_id: UUID) -> dict[str, Any]:
    """Remember the connection."""
    opened = connections.opened(connection_id, user_id)
    _count("ConnectionsOpened" if opened else "ConnectionsDenied")
    return {"statusCode": 200 if opened else 403}


def _identified(event: dict[str, Any]) -> UUID | None:
    ticket = (event.get("queryStringParameters") or {}).get("ticket")
    if ticket:
        return tickets.redeem(ticket)
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    try:
        return user_of_access_token(bearer_token(headers.get("authorization")))
    except NotAuthenticated:
        return None


def _count(name: str) -> None:
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)


def _action(body: str | None) -> Any:
    try:
        message = json.loads(body or "")
    except ValueError:
        return None
    return message.get("action") if isinstance(message, dict) else None
