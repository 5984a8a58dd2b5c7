"""The local WebSocket API as a client and as a function see it: real sockets, boto3's own management client."""

from __future__ import annotations

import base64
import contextlib
import json
import secrets
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.unit.localstack.local_gateway import LocalGateway


@contextmanager
def open_socket(
    gateway: LocalGateway, query: str = "?ticket=good", **options: Any
) -> Iterator[tuple[ClientConnection, str]]:
    """An open socket and its connection id."""
    marker = secrets.token_hex(8)
    url = gateway.socket_url(query=query)
    with connect(url, additional_headers={"X-Mark": marker}, compression=None, **options) as client:
        event = gateway.wait_for("connect", lambda each: each["headers"].get("X-Mark") == marker)
        yield client, event["requestContext"]["connectionId"]


def test_connect_event_has_what_the_client_sent_and_the_authorizers_context_as_strings(gateway: LocalGateway) -> None:
    with open_socket(gateway, "?ticket=good&n=1&n=2", user_agent_header="climber/1") as (_client, connection_id):
        event = gateway.wait_for("connect", lambda each: each["requestContext"]["connectionId"] == connection_id)
    context = event["requestContext"]
    assert event["queryStringParameters"] == {"ticket": "good", "n": "2"}
    assert event["multiValueQueryStringParameters"] == {"ticket": ["good"], "n": ["1", "2"]}
    assert event["headers"]["Sec-WebSocket-Version"] == "13"
    assert event["multiValueHeaders"]["X-Forwarded-For"] == ["127.0.0.1"]
    assert "Upgrade" not in event["headers"]
    assert event["isBase64Encoded"] is False
    assert "body" not in event
    assert (context["routeKey"], context["eventType"], context["messageDirection"]) == ("$connect", "CONNECT", "IN")
    assert (context["apiId"], context["stage"]) == ("guarded", "api")
    assert context["domainName"].startswith("guarded.execute-api.eu-central-1.")
    assert context["identity"] == {"sourceIp": "127.0.0.1", "userAgent": "climber/1"}
    assert context["requestTimeEpoch"] >= context["connectedAt"] > 1_600_000_000_000
    assert context["authorizer"] == {"principalId": "u-1", "userId": "u-1", "pro": "true", "level": "3"}
    assert len(base64.urlsafe_b64decode(connection_id)) == 11


def test_authorizer_is_asked_with_the_method_arn_before_anybody_else(gateway: LocalGateway) -> None:
    with open_socket(gateway) as (_client, connection_id):
        event = gateway.wait_for("authorizer", lambda each: each["requestContext"]["connectionId"] == connection_id)
    assert event["type"] == "REQUEST"
    assert event["methodArn"] == "arn:aws:execute-api:eu-central-1:000000000000:guarded/api/$connect"
    assert event["queryStringParameters"] == {"ticket": "good"}
    assert event["requestContext"]["eventType"] == "CONNECT"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 401),  # the identity source is missing: the authorizer is not even asked
        ("?ticket=unknown", 401),
        ("?ticket=denied", 403),
        ("?ticket=crash", 500),
        ("?ticket=good&connect=403", 403),
        ("?ticket=good&connect=503", 503),
        ("?ticket=good&connect=crash", 502),
    ],
)
def test_refused_handshake_answers_with_a_status_and_no_socket(gateway: LocalGateway, query: str, status: int) -> None:
    with pytest.raises(InvalidStatus) as refusal, connect(gateway.socket_url(query=query)):
        pass
    assert refusal.value.response.status_code == status


def test_unknown_api_stage_and_path_are_refused(gateway: LocalGateway) -> None:
    for path, status in (("nothing/api", 404), ("guarded/other", 403), ("guarded/api/deeper", 403)):
        with pytest.raises(InvalidStatus) as refusal, connect(f"{gateway.ws_url}/_aws/socket/{path}?ticket=good"):
            pass
        assert refusal.value.response.status_code == status


def test_subprotocol_of_the_connect_function_is_agreed(gateway: LocalGateway) -> None:
    with connect(gateway.socket_url(), subprotocols=[Subprotocol("climb.v1")]) as client:
        assert client.subprotocol == "climb.v1"


def test_message_takes_the_route_its_action_names_and_is_answered_only_where_the_route_responds(
    gateway: LocalGateway,
) -> None:
    with open_socket(gateway) as (client, connection_id):
        client.send("not json")
        client.send(json.dumps({"action": "$connect"}))
        client.send(json.dumps({"action": "echo", "n": 1}))
        # The first two went to $default, which has no route response; so this is the first thing that comes back.
        assert json.loads(client.recv(timeout=10)) == {"action": "echo", "n": 1}
    mine = [e for e in gateway.events("echo") if e["requestContext"]["connectionId"] == connection_id]
    assert [e["requestContext"]["routeKey"] for e in mine] == ["$default", "$default", "echo"]
    event = mine[-1]
    assert event["requestContext"]["eventType"] == "MESSAGE"
    assert event["requestContext"]["messageId"]
    assert event["requestContext"]["authorizer"]["userId"] == "u-1"
    assert event["body"] == '{"action": "echo", "n": 1}'
    assert event["isBase64Encoded"] is False
    assert "queryStringParameters" not in event


def test_failing_function_tells_the_client_and_leaves_the_socket_open(gateway: LocalGateway) -> None:
    with open_socket(gateway) as (client, connection_id):
        for broken in ("crash", "malformed"):
            client.send(json.dumps({"action": "echo", broken: True}))
            answer = json.loads(client.recv(timeout=10))
            assert (answer["message"], answer["connectionId"]) == ("Internal server error", connection_id)
        client.send(json.dumps({"action": "echo"}))
        assert json.loads(client.recv(timeout=10)) == {"action": "echo"}


def test_message_without_a_route_is_forbidden(gateway: LocalGateway) -> None:
    with connect(gateway.socket_url("bare", "")) as client:
        client.send(json.dumps({"action": "dance"}))
        assert json.loads(client.recv(timeout=10))["message"] == "Forbidden"


def test_messages_of_one_connection_are_handled_in_order(gateway: LocalGateway) -> None:
    with open_socket(gateway) as (client, _):
        for n in range(20):
            client.send(json.dumps({"action": "echo", "n": n, "pause": 0.05 if n == 0 else 0}))
        assert [json.loads(client.recv(timeout=10))["n"] for _ in range(20)] == list(range(20))


def test_fragmented_message_arrives_whole(gateway: LocalGateway) -> None:
    text = json.dumps({"action": "echo", "text": "ü" * 50_000}, ensure_ascii=False)
    assert 32 * 1024 < len(text.encode()) < 128 * 1024
    with open_socket(gateway) as (client, _):
        client.send([text[start : start + 10_000] for start in range(0, len(text), 10_000)])
        assert client.recv(timeout=10) == text


@pytest.mark.parametrize("fragments", [1, 5])
def test_message_or_frame_beyond_the_quota_closes_with_1009(gateway: LocalGateway, fragments: int) -> None:
    size = 32 * 1024 + 1 if fragments == 1 else 30 * 1024
    with open_socket(gateway) as (client, _):
        with contextlib.suppress(ConnectionClosed):
            client.send(["x" * size] * fragments)
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(timeout=10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


def test_post_reaches_the_client_from_many_threads_each_in_its_own_order(gateway: LocalGateway) -> None:

    def post(sender: int) -> None:
        management = gateway.management()
        for n in range(25):
            management.post_to_connection(ConnectionId=connection_id, Data=json.dumps([sender, n]).encode())

    with open_socket(gateway) as (client, connection_id):
        threads = [threading.Thread(target=post, args=(sender,)) for sender in range(4)]
        for thread in threads:
            thread.start()
        received = [json.loads(client.recv(timeout=20)) for _ in range(100)]
        for thread in threads:
            thread.join()
    for sender in range(4):
        assert [n for who, n in received if who == sender] == list(range(25))


def test_get_describes_the_connection_and_delete_closes_it(gateway: LocalGateway) -> None:
    management = gateway.management()
    with open_socket(gateway, user_agent_header="climber/1") as (client, connection_id):
        description = management.get_connection(ConnectionId=connection_id)
        assert description["Identity"] == {"SourceIp": "127.0.0.1", "UserAgent": "climber/1"}
        assert description["LastActiveAt"] >= description["ConnectedAt"]
        management.delete_connection(ConnectionId=connection_id)
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(timeout=10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1000
    with pytest.raises(management.exceptions.GoneException):
        management.get_connection(ConnectionId=connection_id)


def test_the_gone_and_the_unknown_answer_410(gateway: LocalGateway) -> None:
    with open_socket(gateway) as (client, connection_id):
        client.close()
        gateway.wait_for("disconnect", lambda each: each["requestContext"]["connectionId"] == connection_id)
        management = gateway.management()
        for gone in (connection_id, "AAAAAAAAAAAAAAA="):
            with pytest.raises(management.exceptions.GoneException) as error:
                management.post_to_connection(ConnectionId=gone, Data=b"anybody?")
            assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 410
            with pytest.raises(management.exceptions.GoneException):
                management.delete_connection(ConnectionId=gone)


def test_connection_cannot_be_reached_through_another_api(gateway: LocalGateway) -> None:
    other = gateway.management("bare")
    with open_socket(gateway) as (_client, connection_id), pytest.raises(other.exceptions.GoneException):
        other.post_to_connection(ConnectionId=connection_id, Data=b"psst")


def test_post_that_is_too_long_is_refused(gateway: LocalGateway) -> None:
    management = gateway.management()
    with open_socket(gateway) as (client, connection_id):
        management.post_to_connection(ConnectionId=connection_id, Data=b"x" * 128 * 1024)
        assert len(client.recv(timeout=10)) == 128 * 1024
        with pytest.raises(ClientError) as error:
            management.post_to_connection(ConnectionId=connection_id, Data=b"x" * (128 * 1024 + 1))
    assert error.value.response["Error"]["Code"] == "PayloadTooLargeException"


def test_unsigned_management_request_is_refused(gateway: LocalGateway) -> None:
    with open_socket(gateway) as (_client, connection_id):
        url = f"{gateway.http_url}/_aws/socket/guarded/api/@connections/{connection_id}"
        assert httpx.post(url, content=b"hello").status_code == 403


def test_disconnect_tells_the_code_the_client_closed_with(gateway: LocalGateway) -> None:
    with open_socket(gateway) as (client, connection_id):
        client.close(4001, "done climbing")
        event = gateway.wait_for("disconnect", lambda each: each["requestContext"]["connectionId"] == connection_id)
        context = event["requestContext"]
        assert (context["routeKey"], context["eventType"]) == ("$disconnect", "DISCONNECT")
        assert (context["disconnectStatusCode"], context["disconnectReason"]) == (4001, "done climbing")
        assert context["authorizer"]["userId"] == "u-1"
        assert "queryStringParameters" not in event


def test_closing_handshake_is_answered(gateway: LocalGateway) -> None:
    with open_socket(gateway) as (client, _):
        client.close()
        assert client.protocol.close_rcvd is not None
        assert client.protocol.close_rcvd.code == 1000


def test_disconnect_follows_an_abrupt_end_of_the_connection(gateway: LocalGateway) -> None:
    with open_socket(gateway) as (client, connection_id):
        # A reset instead of a farewell, as when a phone loses its network and the system gives up.
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.socket.close()
        event = gateway.wait_for("disconnect", lambda each: each["requestContext"]["connectionId"] == connection_id)
        assert event["requestContext"]["disconnectStatusCode"] == 1006
        management = gateway.management()
        with pytest.raises(management.exceptions.GoneException):
            management.post_to_connection(ConnectionId=connection_id, Data=b"anybody?")


def test_disconnect_comes_once_and_after_the_messages_before_it(gateway: LocalGateway) -> None:
    with open_socket(gateway) as (client, connection_id):
        client.send(json.dumps({"action": "echo", "pause": 0.1}))
        client.close()
        gateway.wait_for("disconnect", lambda each: each["requestContext"]["connectionId"] == connection_id)
        calls = httpx.get(f"{gateway.http_url}/events").json()
        mine = [c["function"] for c in calls if c["event"]["requestContext"]["connectionId"] == connection_id]
        assert mine == ["authorizer", "connect", "echo", "disconnect"]


def test_ping_is_answered_with_its_own_payload(gateway: LocalGateway) -> None:
    with open_socket(gateway) as (client, _):
        assert client.ping(b"rope").wait(10)


def test_broken_frame_closes_with_a_protocol_error(gateway: LocalGateway) -> None:
    with open_socket(gateway) as (client, _):
        client.socket.sendall(b"\x81\x05hello")  # a client's frame without a mask
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(timeout=10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1002


def test_idle_connection_is_closed_as_going_away(gateway: LocalGateway) -> None:
    with (
        connect(gateway.socket_url("hasty", ""), ping_interval=None) as client,
        pytest.raises(ConnectionClosed) as closed,
    ):
        client.recv(timeout=10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1001
    gateway.wait_for("disconnect", lambda each: each["requestContext"]["disconnectStatusCode"] == 1001)


def test_client_that_leaves_during_the_handshake_is_disconnected(gateway: LocalGateway) -> None:
    request = (
        "GET /_aws/socket/guarded/api?ticket=good&pause=0.3 HTTP/1.1\r\nHost: x\r\nX-Mark: impatient\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", gateway.port)) as raw:
        raw.sendall(request.encode())
        gateway.wait_for("authorizer", lambda event: event["headers"].get("X-Mark") == "impatient")
    event = gateway.wait_for("connect", lambda event: event["headers"].get("X-Mark") == "impatient")
    connection_id = event["requestContext"]["connectionId"]
    gateway.wait_for("disconnect", lambda each: each["requestContext"]["connectionId"] == connection_id)
    management = gateway.management()
    with pytest.raises(management.exceptions.GoneException):
        management.post_to_connection(ConnectionId=connection_id, Data=b"anybody?")


def test_client_that_does_not_read_is_not_written_to_for_ever(gateway: LocalGateway) -> None:
    management = gateway.management()

    def flood(connection_id: str) -> None:
        for _ in range(400):
            management.post_to_connection(ConnectionId=connection_id, Data=b"x" * 128 * 1024)

    with open_socket(gateway, max_queue=1, close_timeout=0.1) as (_client, connection_id):
        with pytest.raises(management.exceptions.LimitExceededException):
            flood(connection_id)
        management.delete_connection(ConnectionId=connection_id)
    gateway.wait_for("disconnect", lambda each: each["requestContext"]["connectionId"] == connection_id)


def test_two_hundred_idle_sockets_cost_no_threads(gateway: LocalGateway) -> None:
    with contextlib.ExitStack() as stack:
        before = gateway.threads()
        clients = [stack.enter_context(connect(gateway.socket_url("bare", ""))) for _ in range(200)]
        assert gateway.threads() < before + 50
        clients[-1].send('{"action": "echo"}')
        assert clients[-1].recv(timeout=10) == '{"action": "echo"}'
