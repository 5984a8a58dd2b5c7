"""The local cloud, up once for all end-to-end tests, beside whatever else runs on this machine."""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import urlsplit

import psycopg
import pytest
from ascension_vision.cli import main as vision
from localstack_client.session import Session
from playwright.sync_api import Browser, sync_playwright
from psycopg.rows import dict_row

from tests.e2e.phone import Phone
from tests.e2e.visit import DESKTOP, Climbed, Visit

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
    """A cloud of the tests' own; or one that is up already, whose stack.json ASCENSION_STACK names."""
    if running := os.environ.get("ASCENSION_STACK"):
        facts = Path(running)
        environment = os.environ | {"LOCAL_DIR": str(facts.parent)}
        yield Stack(json.loads(facts.read_text()), environment)
        return
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


@pytest.fixture(scope="session")
def chromium() -> str:
    found = os.environ.get("ASCENSION_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        pytest.skip("no Chromium here: install one (apt-get install chromium) or name it in ASCENSION_CHROMIUM")
    return found


# For a module only: Playwright's event loop would be in the way of tests that run their own.
@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    # As root, Chromium has no sandbox.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield launched
        launched.close()


@pytest.fixture
def visitor(browser: Browser, stack: Stack) -> Iterator[Callable[..., Visit]]:
    """Opens tabs; at the end none of them has thrown an error or asked another host for anything."""
    visits: list[Visit] = []

    def enter(beside: Visit | None = None, **options: Any) -> Visit:
        """The first tab of a new visitor, or another one ``beside`` a visitor's first."""
        context = beside.context if beside else browser.new_context(
            **{"locale": "en-GB", "viewport": DESKTOP, **options}
        )  # fmt: skip
        visits.append(Visit(context.new_page(), context, stack))
        return visits[-1]

    yield enter
    for visit in visits:
        # A request that waits for its answer must not end in the next test.
        visit.page.unroute_all(behavior="ignoreErrors")
    for visit in visits:
        visit.context.close()
        assert visit.errors == []
        assert visit.hosts <= {urlsplit(stack.web_url).netloc, ""}  # blob: has no host


@pytest.fixture(scope="session")
def climbed(chromium: str, stack: Stack, climb: Path) -> Climbed:
    phone = Phone(stack.api_url)
    job = phone.wait(phone.analyse(climb))
    assert job["status"] == "completed", job["error"]
    truth = json.loads(climb.with_name("truth.json").read_text())
    return Climbed(phone, job["id"], job["result"], phone.job(job["id"], "verbose")["result"], truth)
