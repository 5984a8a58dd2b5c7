"""The WebSocket's function as API Gateway calls it."""

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from ascension.sockets import connections

from tests.integration.api.conftest import NewUser, Person, Rows, load_handler

pytestmark = pytest.mark.postgres

METHOD_ARN = "arn:aws:execute-api:eu-central-1:123456789012:abc/api/$connect"


class Gateway:
    """The part of the WebSocket API that calls the function."""

    def __init__(self, handler: Callable[..., Any], context: Any) -> None:
        self.handler = handler
        self.context = context

    def authorize(self, ticket: str | None = None, **headers: str) -> tuple[str, dict[str, Any]]:
        answer = self.handler(
            {
                "type": "REQUEST",
                "methodArn": METHOD_ARN,
                "headers": headers,
                "queryStringParameters": {"ticket": ticket} if ticket is not None else None,
                "requestContext": {"routeKey": "$connect", "eventType": "CONNECT", "connectionId": "c"},
            },
            self.context,
        )
        statement = answer["policyDocument"]["Statement"][0]
        assert statement["Resource"] == METHOD_ARN
        assert statement["Action"] == "execute-api:Invoke"
        return statement["Effect"], answer["context"]

    def event(self, route: str, connection_id: str, authorizer: Any = None, body: str | None = None) -> dict[str, Any]:
        context = {"routeKey": route, "connectionId": connection_id, "authorizer": authorizer or {}}
        answer: dict[str, Any] = self.handler({"requestContext": context, "body": body}, self.context)
        return answer

    def connect(self, ticket: str) -> str:
        effect, context = self.authorize(ticket)
        assert effect == "Allow"
        connection_id = f"c-{uuid4().hex}"
        assert self.event("$connect", connection_id, context)["statusCode"] == 200
        return connection_id


@pytest.fixture
def gateway(cloud: None, lambda_context: SimpleNamespace) -> Gateway:
    return Gateway(load_handler("socket").handler, lambda_context)


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, Any]]:
    """What the function asked the management API for: (operation, connection, data)."""
    asked: list[tuple[str, str, Any]] = []

    class Gone(Exception):
        pass

    class Management:
        exceptions = SimpleNamespace(GoneException=Gone)

        def post_to_connection(self, *, ConnectionId: str, Data: bytes) -> None:  # noqa: N803
            if ConnectionId.endswith("gone"):
                raise Gone
            asked.append(("post", ConnectionId, json.loads(Data)))

        def delete_connection(self, *, ConnectionId: str) -> None:  # noqa: N803
            asked.append(("delete", ConnectionId, None))

    monkeypatch.setattr(connections, "aws_client", lambda service, url: Management())
    return asked


def open_connections(rows: Rows, person: Person) -> set[str]:
    return {row["connection_id"] for row in rows("SELECT connection_id FROM connections WHERE user_id = %s", person.id)}


def test_a_ticket_opens_one_connection(gateway: Gateway, user: Person, rows: Rows) -> None:
    ticket = user.post("/ws/ticket").json()["ticket"]
    connection_id = gateway.connect(ticket)
    assert open_connections(rows, user) == {connection_id}
    expiry = rows("SELECT expires_at - connected_at AS lives FROM connections WHERE connection_id = %s", connection_id)
    assert expiry[0]["lives"].total_seconds() == 7200
    assert gateway.authorize(ticket)[0] == "Deny"


def test_a_ticket_lives_thirty_seconds(gateway: Gateway, user: Person, rows: Rows) -> None:
    ticket = user.post("/ws/ticket").json()["ticket"]
    rows("UPDATE ws_tickets SET expires_at = expires_at - interval '30 s' WHERE user_id = %s", user.id)
    assert gateway.authorize(ticket)[0] == "Deny"


def test_apps_connect_with_a_bearer_header(gateway: Gateway, user: Person) -> None:
    assert gateway.authorize(authorization=f"Bearer {user.access_token}") == ("Allow", {"user_id": user.id})


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x.y.z"}, {"Authorization": "Basic abc"}], ids=str)
def test_strangers_are_denied(gateway: Gateway, headers: dict[str, str]) -> None:
    assert gateway.authorize(**headers) == ("Deny", {})
    assert gateway.authorize(ticket="guess", **headers) == ("Deny", {})
    assert gateway.authorize(ticket="", **headers) == ("Deny", {})


def test_the_account_may_be_gone_before_the_connection_is_there(gateway: Gateway, user: Person) -> None:
    _, context = gateway.authorize(Authorization=f"Bearer {user.access_token}")
    user.delete("/me")
    assert gateway.event("$connect", "c-late", context)["statusCode"] == 403


def test_a_closed_connection_is_forgotten(gateway: Gateway, user: Person, rows: Rows) -> None:
    connection_id = gateway.connect(user.post("/ws/ticket").json()["ticket"])
    for _ in range(2):
        assert gateway.event("$disconnect", connection_id)["statusCode"] == 200
    assert open_connections(rows, user) == set()


def test_ping_is_answered_with_pong(gateway: Gateway, user: Person, posted: list[Any]) -> None:
    connection_id = gateway.connect(user.post("/ws/ticket").json()["ticket"])
    assert gateway.event("$default", connection_id, body='{"action": "ping"}')["statusCode"] == 200
    assert posted == [("post", connection_id, {"event": "pong"})]


@pytest.mark.parametrize("body", [None, "", "ping", "[]", "{}", '{"action": "drop"}', '{"action": ["ping"]}'])
def test_other_messages_are_ignored(gateway: Gateway, posted: list[Any], body: str | None) -> None:
    assert gateway.event("$default", "c-any", body=body)["statusCode"] == 200
    assert posted == []


def test_a_client_gone_before_its_pong_is_forgotten(
    gateway: Gateway, user: Person, rows: Rows, posted: list[Any]
) -> None:
    gateway.event("$connect", "c-gone", {"user_id": user.id})
    gateway.event("$default", "c-gone", body='{"action": "ping"}')
    assert open_connections(rows, user) == set()


def test_the_oldest_of_eleven_connections_gives_way(
    gateway: Gateway, new_user: NewUser, rows: Rows, posted: list[Any]
) -> None:
    person, other = new_user(), new_user()
    gateway.connect(other.post("/ws/ticket").json()["ticket"])
    opened = [gateway.connect(person.post("/ws/ticket").json()["ticket"]) for _ in range(11)]
    assert open_connections(rows, person) == set(opened[1:])
    assert posted == [("delete", opened[0], None)]
    assert len(open_connections(rows, other)) == 1
