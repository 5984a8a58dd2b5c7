"""A small gateway with our handlers, in a process of its own: LocalStack's packages live in another Python."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.localstack.local_gateway import LocalGateway

REPOSITORY = Path(__file__).resolve().parents[3]
LOCALSTACK_PYTHON = REPOSITORY / ".local" / "venvs" / "localstack" / "bin" / "python"


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
