"""A small gateway with our handlers, in a process of its own: LocalStack's packages live in another Python."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
LOCALSTACK_PYTHON = REPOSITORY / ".local" / "venvs" / "localstack" / "bin" / "python"


class LocalGateway:
    """Addresses of the running gateway, and what its functions were called with."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.http_url = f"http://127.0.0.1:{port}"
        self.ws_url = f"ws://127.0.0.1:{port}"

    def socket_url(self, api: str = "guarded", query: str = "?ticket=good") -> str:
        return f"{self.ws_url}/_aws/socket/{api}/api{query}"

    def events(self, function: str) -> list[dict[str, Any]]:
        """The events that a function has got, oldest first."""
        calls = httpx.get(f"{self.http_url}/events").json()
        return [call["event"] for call in calls if call["function"] == function]

    def wait_for(self, function: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first event of a function that is wanted; functions are called when their turn comes."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            for event in self.events(function):
                if wanted(event):
                    return event
            time.sleep(0.02)
        raise AssertionError(f"{function} has not been called")

    def management(self, api: str = "guarded") -> Any:
        """A boto3 client for the connections of an API."""
        return boto3.client(
            "apigatewaymanagementapi",
            endpoint_url=f"{self.http_url}/_aws/socket/{api}/api",
            region_name="eu-central-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )


@pytest.fixture(scope="session")
def gateway() -> Iterator[LocalGateway]:
    if not LOCALSTACK_PYTHON.exists():
        pytest.skip("LocalStack's virtual environment is not there: scripts/localstack-venv makes it")
    process = subprocess.Popen(
        [str(LOCALSTACK_PYTHON), "-W", "ignore", str(Path(__file__).with_name("gateway_server.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(REPOSITORY / "localstack"), "PYTHONDONTWRITEBYTECODE": "1"},
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield LocalGateway(int(process.stdout.readline()))
    finally:
        process.stdin.close()
        process.wait(timeout=10)
