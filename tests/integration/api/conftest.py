"""The API in front of a real PostgreSQL, with S3, Secrets Manager and Step Functions played by moto."""

import importlib.util
import json
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from uuid import uuid4

import boto3
import psycopg
import pytest
from ascension.accounts.signing import forget_signing_keys
from ascension.settings import aws_client, settings
from ascension_api.app import create_app
from fastapi.testclient import TestClient
from moto import mock_aws
from psycopg.rows import dict_row

REPOSITORY = Path(__file__).parents[3]
PASSWORD = "three blue volumes"
BUCKET = "ascension-test-videos"
_ROLE = "arn:aws:iam::123456789012:role/workflow"
_DEFINITION = json.dumps({"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 3600, "End": True}}})


@pytest.fixture(scope="module")
def cloud(database: str) -> Iterator[None]:
    """The AWS services that the API talks to, and the environment that says where they are."""
    environment = {
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "ENVIRONMENT": "local",
        "VIDEOS_BUCKET": BUCKET,
        "PUBLIC_URL": "http://127.0.0.1:4566",
        "WEBSOCKET_ENDPOINT": "ws://127.0.0.1:4566/_aws/socket/abc/api",
        "POWERTOOLS_SERVICE_NAME": "api",
        "POWERTOOLS_METRICS_NAMESPACE": "Ascension",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        boto3.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        document = json.dumps({"current": "k1", "keys": {"k1": secrets.token_hex(32)}})
        secret = boto3.client("secretsmanager").create_secret(Name="auth", SecretString=document)
        machine = boto3.client("stepfunctions").create_state_machine(
            name="analysis", definition=_DEFINITION, roleArn=_ROLE
        )
        patch.setenv("AUTH_SECRET_ARN", secret["ARN"])
        patch.setenv("STATE_MACHINE_ARN", machine["stateMachineArn"])
        settings.cache_clear()
        aws_client.cache_clear()
        forget_signing_keys()
        yield
        settings.cache_clear()
        aws_client.cache_clear()
        forget_signing_keys()


@pytest.fixture
def client(cloud: None, rows: "Rows") -> Iterator[TestClient]:
    """The application without Lambda around it. All tests come from one address: none may use up another's requests."""
    rows("TRUNCATE rate_limits")
    with TestClient(create_app(), base_url="http://127.0.0.1:4566", follow_redirects=False) as test_client:
        yield test_client


@dataclass
class Person:
    """A registered user with a session, who speaks to the API."""

    client: TestClient
    email: str
    id: str
    access_token: str
    refresh_token: str

    def call(self, method: str, path: str, **kwargs: Any) -> Any:
        """A request in this user's name."""
        headers = {"Authorization": f"Bearer {self.access_token}", **kwargs.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **kwargs)

    def get(self, path: str, **kwargs: Any) -> Any:
        return self.call("GET", path, **kwargs)

    def post(self, path: str, json: Any = None, **kwargs: Any) -> Any:
        return self.call("POST", path, json=json, **kwargs)

    def delete(self, path: str, **kwargs: Any) -> Any:
        return self.call("DELETE", path, **kwargs)

    def announce(self, **changes: Any) -> Any:
        """``request-upload`` of an ordinary video."""
        body = {"filename": "climb.mp4", "content_type": "video/mp4", "file_size_bytes": 1000, **changes}
        return self.post("/analysis/request-upload", body)

    def start(self, video_id: str, **options: Any) -> Any:
        """``start`` with options."""
        return self.post("/analysis/start", {"video_id": video_id, "options": options})


NewUser = Callable[..., Person]


@pytest.fixture
def new_user(client: TestClient, rows: "Rows") -> NewUser:
    """Registers users and logs them in."""

    def register(tier: str = "free") -> Person:
        email = f"climber-{uuid4().hex[:10]}@example.org"
        registered = client.post("/auth/register", json={"email": email, "password": PASSWORD})
        assert registered.status_code == 201, registered.text
        tokens = client.post("/auth/login", json={"email": email, "password": PASSWORD}).json()
        user_id = registered.json()["user"]["id"]
        if tier != "free":
            rows("UPDATE users SET subscription_tier = %s WHERE id = %s", tier, user_id)
        return Person(client, email, user_id, tokens["access_token"], tokens["refresh_token"])

    return register


@pytest.fixture
def user(new_user: NewUser) -> Person:
    """A user on Free."""
    return new_user()


@pytest.fixture
def pro(new_user: NewUser) -> Person:
    """A user on Pro."""
    return new_user("pro")


Rows = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def rows(database: str) -> Iterator[Rows]:
    """Looks into the database, and sets up what only time or an operator could."""
    with psycopg.connect(database, autocommit=True, row_factory=dict_row) as connection:

        def run(query: str, *parameters: Any) -> list[dict[str, Any]]:
            cursor = connection.execute(query.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

        yield run


@pytest.fixture
def bucket(cloud: None) -> Any:
    """The videos bucket."""
    return boto3.resource("s3").Bucket(BUCKET)


@pytest.fixture
def executions(cloud: None) -> Callable[[], dict[str, dict[str, Any]]]:
    """The executions that the state machine has, by name, with their input."""

    def running() -> dict[str, dict[str, Any]]:
        states = boto3.client("stepfunctions")
        pages = states.get_paginator("list_executions").paginate(stateMachineArn=os.environ["STATE_MACHINE_ARN"])
        found = [execution for page in pages for execution in page["executions"]]
        return {
            execution["name"]: json.loads(states.describe_execution(executionArn=execution["executionArn"])["input"])
            for execution in found
        }

    return running


def load_handler(function: str) -> ModuleType:
    """A function's handler.py, as Lambda imports it."""
    path = REPOSITORY / "functions" / function / "handler.py"
    spec = importlib.util.spec_from_file_location(f"{function}_handler", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def lambda_context() -> SimpleNamespace:
    """What Lambda passes beside the event."""
    return SimpleNamespace(
        function_name="test",
        memory_limit_in_mb=512,
        invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:test",
        aws_request_id=str(uuid4()),
    )
