"""`scripts/cloud up|down|logs|status`: the local cloud of one stack, from nothing to `stack.json` and back."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ascension_local import credentials, emulator, logs, packaging, stack
from ascension_local import template as templates
from ascension_local.absent import ABSENT
from ascension_local.emulator import EmulatorError
from ascension_local.packaging import PackagingError
from ascension_local.places import ROOT, VENVS, endpoint_url, gateway_port, local_dir, logs_dir
from ascension_local.postgres import Connection, Postgres, PostgresError
from ascension_local.stack import StackError

_EXPECTED = (EmulatorError, PackagingError, PostgresError, StackError, ValueError)
# What `down` leaves behind of a stack's directory: environments and caches shared by all, and what is not the cloud's.
_STATE = ("localstack", "localstack.json", "stack.json", "deployed.json", "auth-keys.json")


class UpError(Exception):
    """`up` cannot go on; the message says what to do."""


class _Progress:
    """Lines a newcomer understands, each with the seconds since the start."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._lock = threading.Lock()

    def __call__(self, what: str, details: str = "") -> None:
        with self._lock:
            print(f"{time.monotonic() - self._start:6.1f} s  {what:<12} {details}".rstrip(), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/cloud", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start what is not running, deploy what has changed, write stack.json")
    down = commands.add_parser("down", help="stop everything and forget the data")
    down.add_argument("--keep-logs", action="store_true")
    shown = commands.add_parser("logs", help="what the functions and jobs printed")
    shown.add_argument(
        "name", nargs="?", default="", help="part of a function's name, a job's id, localstack or postgres"
    )
    shown.add_argument("--follow", "-f", action="store_true")
    commands.add_parser("status", help="what is running, and where")
    arguments = parser.parse_args()
    try:
        match arguments.command:
            case "up":
                _up()
            case "down":
                _down(keep_logs=arguments.keep_logs)
            case "logs":
                return logs.show(logs_dir(), arguments.name, follow=arguments.follow)
            case "status":
                return _status()
    except (UpError, *_EXPECTED) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """One up or down of a stack at a time."""
    local_dir().mkdir(parents=True, exist_ok=True)
    with (local_dir() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _up() -> None:
    with _alone():
        progress = _Progress()
        template = templates.read(Path(os.environ.get("ASCENSION_TEMPLATE") or ROOT / "template.yaml"))
        values = templates.parameters(template, _parameters("pending", "pending"))
        if refused := stack.unsupported(template, values):
            raise UpError(
                "The local cloud cannot create these resources of template.yaml:\n  "
                + "\n  ".join(refused)
                + "\nGive them a resource provider in localstack/, or list their type with a reason in"
                + " localstack/ascension_local/absent.py."
            )
        found = _emulator(progress)
        with ThreadPoolExecutor(max_workers=2) as pool:
            database = pool.submit(_database, progress)
            packaged = pool.submit(_package, progress, template, values)
            emulator.wait_until_ready(found)
            progress("LocalStack", f"ready at {endpoint_url()}")
            connection = database.result()
            changed, artefacts = packaged.result()
        facts = _deploy(progress, found, template, changed, artefacts, connection)
        _write(local_dir() / "stack.json", facts)
        progress("ready", f"API {facts['api_url']}")
        progress("", f"everything else is in {_shown(local_dir() / 'stack.json')}; logs: make logs")


def _emulator(progress: _Progress) -> emulator.Running:
    found = emulator.running()
    if found and found.port != gateway_port():
        raise UpError(
            f"This stack is running on port {found.port}, and GATEWAY_PORT is {gateway_port()}."
            " Stop it first (make down), or give the second stack a LOCAL_DIR of its own."
        )
    if found and found.plugins != emulator.plugins_digest():
        progress("LocalStack", "its plug-ins have changed: restarting it, what is in S3 is lost")
        emulator.stop()
        found = None
    if found is None:
        found = emulator.start()
        progress("LocalStack", f"starting on port {gateway_port()} (log: {_shown(emulator.log_file())})")
    return found


def _database(progress: _Progress) -> Connection:
    if given := os.environ.get("DATABASE_URL"):
        connection = Connection.from_url(given)
        progress("PostgreSQL", f"the one in DATABASE_URL, {connection.host}:{connection.port}")
    else:
        connection = Postgres(local_dir() / "postgres").start()
        progress("PostgreSQL", f"ready at 127.0.0.1:{connection.port}")
    python = ROOT / ".venv" / "bin" / "python"
    migrated = subprocess.run(
        [str(python), "-m", "ascension.database", "migrate"],
        env=os.environ | {"DATABASE_URL": connection.url},
        capture_output=True,
        text=True,
        check=False,
    )
    if migrated.returncode:
        raise UpError(f"The migrations failed:\n{(migrated.stderr or migrated.stdout).strip()}")
    progress("migrations", migrated.stdout.strip())
    return connection


def _package(
    progress: _Progress, template: templates.Template, values: Mapping[str, str]
) -> tuple[templates.Template, list[packaging.Artefact]]:
    _runtimes(template, values)
    packaged = packaging.package(templates.without(template, ABSENT), ROOT, values, stack.ARTEFACTS)
    progress("code", f"{len(packaged[1])} packages of functions, layers and workflows")
    return packaged


def _runtimes(template: templates.Template, values: Mapping[str, str]) -> None:
    """Installs the Python runtimes that the functions name and that are not there yet."""
    default = template.get("Globals", {}).get("Function", {}).get("Runtime")
    used = {
        str(templates.resolved(resource.get("Properties", {}).get("Runtime", default), values))
        for resource in templates.existing(template, values).values()
        if resource["Type"] == "AWS::Serverless::Function"
    }
    missing = [
        runtime.removeprefix("python") for runtime in used if not (VENVS / f"runtime-{runtime}" / "stamp").exists()
    ]
    if missing:
        environment = os.environ | {"LAMBDA_PYTHON_VERSIONS": " ".join(missing)}
        subprocess.run([str(ROOT / "scripts" / "localstack-venv")], env=environment, check=True)


def _parameters(database_secret: str, auth_secret: str) -> dict[str, str]:
    return {
        "Environment": "local",
        "DatabaseSecretArn": database_secret,
        "AuthSecretArn": auth_secret,
        "PublicUrl": endpoint_url(),
        # One machine: no more workers than jobs may run at a time, and none that stays for long.
        "MaxWorkers": os.environ.get("ASCENSION_BATCH_SLOTS", "1"),
        "WorkerIdleSeconds": os.environ.get("WORKER_IDLE_SECONDS", "60"),
        "AnalysisTimeoutSeconds": os.environ.get("ANALYSIS_TIMEOUT_SECONDS", "900"),
    }


def _deploy(
    progress: _Progress,
    found: emulator.Running,
    template: templates.Template,
    packaged: templates.Template,
    artefacts: list[packaging.Artefact],
    connection: Connection,
) -> dict[str, str]:
    record = local_dir() / "deployed.json"
    web = ROOT / "web"
    auth = credentials.signing_keys(local_dir())
    wanted = {
        "emulator": found.identity,
        "stack": _digest(packaged, connection.url, auth, endpoint_url()),
        "web": _digest([(str(path), path.stat().st_mtime_ns) for path in sorted(web.rglob("*"))]),
    }
    before = json.loads(record.read_text()) if record.exists() else {}
    is_same_emulator = before.get("emulator") == wanted["emulator"]
    if not is_same_emulator or before.get("stack") != wanted["stack"]:
        record.unlink(missing_ok=True)
        secrets = credentials.store(stack.client("secretsmanager"), connection, auth)
        values = templates.parameters(template, _parameters(*secrets))
        uploaded = stack.upload(artefacts)
        progress(
            "stack", f"deploying {len(packaged['Resources'])} resources of template.yaml ({uploaded} new packages)"
        )
        stack.deploy(packaged, values, lambda line: progress("stack", line))
        progress("stack", "deployed")
    else:
        progress("stack", "unchanged")
    outputs = stack.outputs()
    if web.is_dir() and "WebBucketName" in outputs and not (is_same_emulator and before.get("web") == wanted["web"]):
        stack.upload_web(web, outputs["WebBucketName"])
        progress("web", "uploaded")
    _write(record, wanted)
    return _facts(outputs, connection)


def _facts(outputs: Mapping[str, str], connection: Connection) -> dict[str, str]:
    """stack.json, as docs and clients know it."""
    port = gateway_port()
    return {
        "api_url": f"http://127.0.0.1:{port}/api/v1",
        "ws_url": f"ws://127.0.0.1:{port}/api/v1/ws",
        "web_url": f"http://127.0.0.1:{port}/app/index.html",
        "aws_endpoint_url": endpoint_url(),
        "database_url": connection.url,
        "bucket": outputs.get("VideosBucketName", ""),
        "upload_queue_url": outputs.get("UploadQueueUrl", ""),
        "upload_dlq_url": outputs.get("UploadDeadLetterQueueUrl", ""),
        "state_machine_arn": outputs.get("StateMachineArn", ""),
    }


def _down(*, keep_logs: bool) -> None:
    with _alone():
        progress = _Progress()
        if emulator.stop():
            progress("LocalStack", "stopped")
        postgres = Postgres(local_dir() / "postgres")
        if (local_dir() / "postgres").exists():
            if postgres.stop():
                progress("PostgreSQL", "stopped")
            postgres.remove()
        for name in (*_STATE, *(() if keep_logs else ("logs",))):
            path = local_dir() / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        progress("gone", f"environments and caches stay in {_shown(VENVS.parent)}")


def _status() -> int:
    found = emulator.running()
    print(f"LocalStack  {f'running on port {found.port} (process {found.pid})' if found else 'not running'}")
    is_database_up = (local_dir() / "postgres").exists() and Postgres(local_dir() / "postgres").is_running()
    print(f"PostgreSQL  {'running' if is_database_up else 'not running (or the one in DATABASE_URL)'}")
    facts = local_dir() / "stack.json"
    if found and facts.exists():
        for name, value in json.loads(facts.read_text()).items():
            print(f"{name:<18} {value}")
    return 0 if found else 1


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def _digest(*things: Any) -> str:
    return hashlib.sha256(json.dumps(things, sort_keys=True, default=str).encode()).hexdigest()


def _write(path: Path, content: Mapping[str, str]) -> None:
    """In one step, readable for the owner only: the database's password is in it."""
    unfinished = path.with_suffix(".unfinished")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
    unfinished.replace(path)
