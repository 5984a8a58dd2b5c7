"""The local cloud, up once for all end-to-end tests, beside whatever else runs on this machine."""

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from ascension_vision.cli import main as vision
from localstack_client.session import Session
from psycopg.rows import dict_row

from tests.e2e.phone import Phone

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Stack:
    """A deployed local cloud: what `make up` wrote down, and clients for looking inside."""

    facts: dict[str, str]
    environment: dict[str, str]

    def __getattr__(self, name: str) -> str:
        try:
            return self.facts[name]
        except KeyError as error:
            raise AttributeError(name) from error

    def client(self, service: str) -> Any:
        port = int(self.facts["aws_endpoint_url"].rsplit(":", 1)[1])
        return Session(localstack_host=f"127.0.0.1:{port}").client(service, endpoint_url=self.facts["aws_endpoint_url"])

    def rows(self, query: LiteralString, *parameters: object) -> list[dict[str, Any]]:
        with psycopg.connect(self.facts["database_url"], row_factory=dict_row) as connection:
            return connection.execute(query, parameters).fetchall()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    environment = os.environ | {"LOCAL_DIR": ".local/e2e", "GATEWAY_PORT": str(free_port())}
    cloud = ROOT / "scripts" / "cloud"
    subprocess.run([cloud, "down"], cwd=ROOT, env=environment, check=True, capture_output=True)
    up = subprocess.run([cloud, "up"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert up.returncode == 0, f"make up failed:\n{up.stdout}\n{up.stderr}"
    yield Stack(json.loads((ROOT / ".local/e2e/stack.json").read_text()), environment)
    subprocess.run([cloud, "down", "--keep-logs"], cwd=ROOT, env=environment, check=True, capture_output=True)


@pytest.fixture
def phone(stack: Stack) -> Phone:
    return Phone(stack.api_url)


@pytest.fixture(scope="session")
def climb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short rendered climb."""
    folder = tmp_path_factory.mktemp("climb")
    assert vision(["sample", "--out", str(folder), "--duration", "3", "--size", "360x640"]) == 0
    return folder / "sample.mp4"
