"""The small gateway of these tests, seen from outside."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import boto3
import httpx
from botocore.config import Config


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

    def threads(self) -> int:
        """How many threads the gateway has."""
        return int(httpx.get(f"{self.http_url}/threads").text)

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
            config=Config(retries={"total_max_attempts": 1}),
        )
