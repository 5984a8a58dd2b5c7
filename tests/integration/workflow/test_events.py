"""What the WebSocket sends is what docs/asyncapi.yaml and the schema beside it say."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ascension import VERSION, notifications
from ascension.analyses import lifecycle
from ascension.analyses.problems import TimedOut
from ascension.database import transaction
from ascension.sockets import connections
from jsonschema import Draft202012Validator, FormatChecker

from tests.functions import FUNCTIONS, invoke
from tests.integration.workflow.conftest import Climb
from tests.integration.workflow.test_corrections import analysed, correct
from tests.integration.workflow.test_ingest import deliver, upload_event
from tests.integration.workflow.test_workflow import OUTCOME, RESULT, step

pytestmark = pytest.mark.postgres

DOCS = FUNCTIONS.parent / "docs"
SCHEMA: dict[str, Any] = json.loads((DOCS / "schemas" / "event.schema.json").read_text())
DOCUMENT: dict[str, Any] = yaml.safe_load((DOCS / "asyncapi.yaml").read_text())
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]


def valid(frame: dict[str, Any], message: str) -> None:
    """Check a frame against the schema that the AsyncAPI document gives for a message."""
    file, _, pointer = MESSAGES[message]["payload"]["$ref"].partition("#")
    assert file == "schemas/event.schema.json"
    schema = {"$schema": SCHEMA["$schema"], "$defs": SCHEMA["$defs"], "$ref": f"#{pointer}"}
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(frame)


@pytest.fixture
def heard(climb: Climb, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The frames that the climb's owner gets."""
    frames: list[dict[str, Any]] = []
    gone = type("GoneException", (Exception,), {})

    def post_to_connection(ConnectionId: str, Data: bytes) -> None:  # noqa: N803
        frames.append(json.loads(Data))

    socket = SimpleNamespace(post_to_connection=post_to_connection, exceptions=SimpleNamespace(GoneException=gone))
    for module in (notifications, connections):
        monkeypatch.setattr(module, "aws_client", lambda *_: socket)
    with transaction() as tx:
        tx.execute(
            "INSERT INTO connections (connection_id, user_id, expires_at) VALUES (%s, %s, now() + interval '1 hour')",
            (str(climb.job_id), climb.user_id),
        )
    return frames


def test_events_of_an_analysis_that_completes(climb: Climb, heard: list[dict[str, Any]]) -> None:
    deliver(upload_event(climb.key))
    step(climb, "begin")
    step(climb, "progress", stage="pose", fraction=0.5)
    climb.put_outcome(OUTCOME, RESULT)
    step(climb, "complete")
    assert [frame["event"] for frame in heard] == ["analysis:started", "analysis:progress", "analysis:completed"]
    for frame, message in zip(heard, ("started", "progress", "completed"), strict=True):
        valid(frame, message)
        assert frame["event"] == MESSAGES[message]["name"]
        assert frame["job_id"] == str(climb.job_id)


def test_the_event_of_an_analysis_that_fails(climb: Climb, heard: list[dict[str, Any]]) -> None:
    lifecycle.fail(climb.job_id, TimedOut())
    (frame,) = heard
    valid(frame, "failed")
    assert frame["event"] == MESSAGES["failed"]["name"]


def test_the_events_of_corrections(climb: Climb, heard: list[dict[str, Any]]) -> None:
    analysed(climb)
    heard.clear()
    correct(climb).carry_out()
    correct(climb).step("fail", error={"Error": "WorkerDied", "Cause": ""})
    names = [frame["event"].removeprefix("analysis:") for frame in heard]
    assert names == ["started", "completed", "failed"]
    for frame, name in zip(heard, names, strict=True):
        valid(frame, name)
    assert [frame["data"].get("revision") for frame in heard] == [None, 1, 1]


def test_a_ping_is_answered_with_the_documented_pong(climb: Climb, heard: list[dict[str, Any]], socket: None) -> None:
    ping = MESSAGES["ping"]["examples"][0]["payload"]
    invoke(
        "socket",
        {"requestContext": {"routeKey": "$default", "connectionId": "c"}, "body": json.dumps(ping)},
    )
    (frame,) = heard
    valid(frame, "pong")


@pytest.fixture
def socket(cloud: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the socket's function needs to start: keys."""
    import boto3
    from ascension.accounts.signing import forget_signing_keys
    from ascension.settings import settings

    document = json.dumps({"current": "k", "keys": {"k": "3f9d0c1be27a48568d10e6b7c4a2f5913f9d0c1b"}})
    secret = boto3.client("secretsmanager").create_secret(Name="auth", SecretString=document)
    monkeypatch.setenv("AUTH_SECRET_ARN", secret["ARN"])
    settings.cache_clear()
    forget_signing_keys()


def test_the_documents_examples_are_valid_and_its_messages_are_all_in_use() -> None:
    for name, message in MESSAGES.items():
        for example in message["examples"]:
            valid(example["payload"], name)
    channel = DOCUMENT["channels"]["events"]
    assert channel["messages"].keys() == MESSAGES.keys()
    assert channel["address"] == "/api/v1/ws"
    assert DOCUMENT["info"]["version"] == VERSION
    named = {f"#/$defs/{name}" for name in MESSAGES if name != "ping"}
    assert {entry["$ref"] for entry in SCHEMA["oneOf"]} == named


@pytest.mark.parametrize(
    "frame",
    [
        {"event": "analysis:progress", "job_id": "x", "at": "2026-11-21T10:05:41Z", "data": {"stage": "pose"}},
        {"event": "analysis:progress", "job_id": "x", "at": "2026-11-21T10:05:41Z"},
        {"event": "analysis:exploded"},
    ],
    ids=["no fraction", "no data", "unknown"],
)
def test_the_schema_refuses_what_is_never_sent(frame: dict[str, Any]) -> None:
    assert not Draft202012Validator(SCHEMA).is_valid(frame)
