"""LocalStack as a background process of one stack."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import psutil

from ascension_local.places import ROOT, VENVS, endpoint_url, gateway_port, local_dir, logs_dir

REGION = "us-east-1"
# LocalStack's account for any access key that is not an account number itself.
ACCOUNT = "000000000000"
_START_SECONDS = 120.0


class EmulatorError(Exception):
    """LocalStack does not start; the message says why."""


@dataclass(frozen=True)
class Running:
    """The process, told apart from another that got its number by when it was started."""

    pid: int
    created: float
    port: int
    plugins: str

    @property
    def identity(self) -> str:
        return f"{self.pid}@{self.created}"


def log_file() -> Path:
    return logs_dir() / "localstack.log"


def _pid_file() -> Path:
    return local_dir() / "localstack.json"


def _directory() -> Path:
    return local_dir() / "localstack"


def running() -> Running | None:
    """This stack's LocalStack, None where there is none."""
    try:
        found = Running(**json.loads(_pid_file().read_text()))
        process = psutil.Process(found.pid)
        is_it = process.create_time() == found.created and process.status() != psutil.STATUS_ZOMBIE
    except (OSError, ValueError, TypeError, psutil.Error):
        return None
    return found if is_it else None


def plugins_digest() -> str:
    """Of what a running LocalStack has loaded of ours: when it changes, LocalStack must be restarted."""
    digest = hashlib.sha256()
    for path in sorted([*Path(__file__).parent.glob("*.py"), ROOT / "localstack" / "pyproject.toml"]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def start() -> Running:
    """Starts LocalStack without waiting until it is ready.

    Raises EmulatorError where its port is taken by someone else.
    """
    port = gateway_port()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise EmulatorError(
                f"Port {port} is taken by {_owner(port)}. Stop it, or choose another port and state directory for this"
                f" stack: GATEWAY_PORT={port + 1} LOCAL_DIR=.local/other make up"
            ) from None
    shutil.rmtree(_directory(), ignore_errors=True)
    temporary = _directory() / "tmp"
    temporary.mkdir(parents=True)
    logs_dir().mkdir(parents=True, exist_ok=True)
    # AWS settings of the shell are for the real AWS.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LOCALSTACK_"))}
    settings = {
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "GATEWAY_SERVER": "loopback",
        "LOCALSTACK_HOST": f"127.0.0.1:{port}",
        # Names of hosts would have to be resolved on the internet.
        "SQS_ENDPOINT_STRATEGY": "path",
        "DNS_ADDRESS": "0",
        "PERSISTENCE": "0",
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "LAMBDA_RUNTIME_EXECUTOR": "process",
        "LAMBDA_IGNORE_ARCHITECTURE": "1",
        # Between one wait at a queue (`queue_waiting`) and the next.
        "LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC": "0.01",
        "S3_SKIP_SIGNATURE_VALIDATION": "0",
        # Left to us (stack.unsupported): LocalStack asks a catalogue on the internet, and refuses all without it.
        "CFN_IGNORE_UNSUPPORTED_RESOURCE_TYPES": "1",
        "FILESYSTEM_ROOT": str(_directory() / "filesystem"),
        "LOCALSTACK_VOLUME_DIR": str(_directory() / "volume"),
        "TMPDIR": str(temporary),
        "GATEWAY_PORT": str(port),
        "LOCAL_DIR": str(local_dir()),
        "PYTHONUNBUFFERED": "1",
    }
    with log_file().open("ab") as log:
        process = subprocess.Popen(
            [str(VENVS / "localstack" / "bin" / "python"), "-m", "localstack.runtime.main"],
            cwd=local_dir(),
            env=inherited | settings,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    found = Running(process.pid, psutil.Process(process.pid).create_time(), port, plugins_digest())
    _pid_file().write_text(json.dumps(found.__dict__))
    return found


def wait_until_ready(found: Running) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if running() != found:
            break
        try:
            with urllib.request.urlopen(f"{endpoint_url()}/_localstack/init/ready", timeout=5) as answer:  # noqa: S310
                if json.load(answer).get("completed"):
                    return
        except (urllib.error.URLError, OSError, ValueError):
            pass
        time.sleep(0.1)
    tail = "\n".join(log_file().read_text(errors="replace").splitlines()[-20:])
    raise EmulatorError(f"LocalStack did not start. The end of {log_file()}:\n{tail}")


def stop() -> bool:
    """True where one was running; its Lambdas and jobs go with it."""
    found = running()
    if found:
        process = psutil.Process(found.pid)
        # Functions and jobs have sessions of their own, but are its children. Killed at once: nothing of its state is
        # to be kept, and an orderly end takes LocalStack some ten seconds.
        family = [process, *process.children(recursive=True)]
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        psutil.wait_procs(family, timeout=10)
    _pid_file().unlink(missing_ok=True)
    shutil.rmtree(_directory(), ignore_errors=True)
    return found is not None


def _owner(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            is_listening = connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
            if is_listening and connection.pid:
                process = psutil.Process(connection.pid)
                return f"process {connection.pid} ({' '.join(process.cmdline())[:80]})"
    except psutil.Error:
        pass
    return "another process"
