"""What an analysis waits for besides being analysed: from the upload's last byte to a worker that is at work on it, and
from a committed result to the event at the client. Through a local cloud of its own, one job after the other, so that
the worker is warm and the figures are those of the way, not of a queue.

``LOCAL_DIR`` and ``GATEWAY_PORT`` place the cloud elsewhere than ``.local/bench/cloud`` and 4690.
"""

import json
import os
import re
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
from ascension_vision.scene import SceneOptions
from ascension_vision.scene.film import write_sample
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from bench.report import Goal, NotNow, Report, Table, quantile
from bench.surroundings import cloud

JOBS = 100
BEGUN_GOAL_S = 1.0
EVENT_GOAL_MS = 100.0
MAX_LOAD = 1.5
_PASSWORD = "three blue volumes"  # noqa: S105
_PATIENCE_S = 120
_TAKEN = re.compile(r"^(\S+ \S+),(\d{3}) \w+ worker (\S+): attempt \d+$", re.MULTILINE)


@dataclass(frozen=True)
class Job:
    """When, by this machine's one clock, things happened to a job; seconds since 1970."""

    id: str
    uploaded: float
    begun_heard: float
    completed_heard: float


@dataclass
class Ear:
    """A WebSocket connection and when it heard what."""

    socket: ClientConnection
    heard: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    news: threading.Condition = field(default_factory=threading.Condition)

    def listen(self) -> None:
        try:
            for frame in self.socket:
                at = time.time()
                with self.news:
                    self.heard.append((at, json.loads(frame)))
                    self.news.notify_all()
        except ConnectionClosed:
            return

    def first(self, job_id: str, *names: str) -> float:
        """When the first event of the job with one of the names came."""

        def found() -> float | None:
            told = ((at, event) for at, event in self.heard if event.get("job_id") == job_id)
            return next((at for at, event in told if event["event"] in names), None)

        with self.news:
            self.news.wait_for(lambda: found() is not None, _PATIENCE_S)
            at = found()
        if at is None:
            raise TimeoutError(f"none of {names} was heard of {job_id}")
        return at


def measure() -> Report:
    """Bring up a cloud, send one clip a hundred times, take the cloud down: about five minutes on two idle cores."""
    if (load := os.getloadavg()[0]) > MAX_LOAD:
        raise NotNow(f"the machine is busy (load {load:.1f}, {MAX_LOAD} at most)")
    with cloud() as stack, tempfile.TemporaryDirectory() as folder:
        options = SceneOptions(seed=7, duration_s=1.0, fps=10, width=270, height=480)
        clip, _ = write_sample(Path(folder), options)
        with httpx.Client(base_url=stack["api_url"] + "/", timeout=60) as client:
            _sign_in(client, stack)
            with _ear(client) as ear:
                jobs = [_analyse(client, clip.read_bytes(), ear) for _ in range(JOBS + 1)]
        jobs = jobs[1:]  # the first one's worker and functions had to start
        committed = _committed(stack, jobs)
        taken = _taken(Path(stack["local_dir"]) / "logs")
    delivered = [1000 * (job.completed_heard - committed[job.id]) for job in jobs]
    ways = {
        "PUT answered → the worker has taken the job, ms": [1000 * (taken[job.id] - job.uploaded) for job in jobs],
        "PUT answered → the client hears that the worker is at it, ms": [
            1000 * (job.begun_heard - job.uploaded) for job in jobs
        ],
        "result committed → event at the client, ms": delivered,
        "PUT answered → event at the client, ms": [1000 * (job.completed_heard - job.uploaded) for job in jobs],
    }
    table = Table(f"{JOBS} jobs, one after the other", ["way", "p50", "p95", "longest"])
    for name, times in ways.items():
        table.rows.append([name, *(round(quantile(times, share), 1) for share in (0.5, 0.95, 1.0))])
    begun = quantile(ways["PUT answered → the client hears that the worker is at it, ms"], 0.95) / 1000
    event = quantile(delivered, 0.95)
    return Report(
        [table],
        goals=[
            Goal(f"upload to inference begun under {BEGUN_GOAL_S:.0f} s, p95 ({begun:.2f} s)", begun < BEGUN_GOAL_S),
            Goal(f"commit to event under {EVENT_GOAL_MS:.0f} ms, p95 ({event:.0f} ms)", event < EVENT_GOAL_MS),
        ],
        notes=[
            "The clip is a rendered second of 270 × 480, analysed without holds and Ghost: the way is measured.",
            "The worker says that it is at a job before it downloads the clip; the client hears it by the same way as "
            "all progress, so that the figure is longer by that way and shorter by the download.",
            "A commit is dated by the beginning of its transaction, so the way to the client is at most what it says.",
            "Client, cloud, functions and worker share one machine and its clock.",
        ],
        packages=("httpx", "websockets", "psycopg"),
    )


def _sign_in(client: httpx.Client, stack: dict[str, str]) -> None:
    account = {"email": f"path-{uuid4().hex[:8]}@example.org", "password": _PASSWORD}
    user_id = client.post("auth/register", json=account).raise_for_status().json()["user"]["id"]
    token = client.post("auth/login", json=account).raise_for_status().json()["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"
    with psycopg.connect(stack["database_url"], autocommit=True) as connection:
        connection.execute("UPDATE users SET subscription_tier = 'enterprise' WHERE id = %s", (user_id,))


@contextmanager
def _ear(client: httpx.Client) -> Iterator[Ear]:
    ticket = client.post("ws/ticket").raise_for_status().json()
    with connect(ticket["url"], open_timeout=30) as socket:
        ear = Ear(socket)
        thread = threading.Thread(target=ear.listen, daemon=True)
        thread.start()
        yield ear


def _analyse(client: httpx.Client, clip: bytes, ear: Ear) -> Job:
    announced = client.post(
        "analysis/request-upload",
        json={
            "filename": "climb.mp4",
            "content_type": "video/mp4",
            "file_size_bytes": len(clip),
            "start": {"options": {"detect_holds": False, "generate_ghost": False}},
        },
    )
    answer = announced.raise_for_status().json()
    job_id, target = answer["job_id"], answer["upload"]
    httpx.request(
        target["method"], target["url"], content=clip, headers=target["headers"], timeout=60
    ).raise_for_status()
    uploaded = time.time()
    begun = ear.first(job_id, "analysis:progress", "analysis:failed")
    completed = ear.first(job_id, "analysis:completed", "analysis:failed")
    return Job(job_id, uploaded, begun, completed)


def _committed(stack: dict[str, str], jobs: list[Job]) -> dict[str, float]:
    """When each result's transaction began, by job."""
    with psycopg.connect(stack["database_url"]) as connection:
        rows = connection.execute(
            "SELECT id::text, extract(epoch FROM completed_at)::double precision FROM analyses "
            "WHERE status = 'completed' AND id = ANY(%s::uuid[])",
            ([job.id for job in jobs],),
        ).fetchall()
    if len(rows) != len(jobs):
        raise RuntimeError(f"only {len(rows)} of {len(jobs)} analyses were completed")
    return dict(rows)


def _taken(logs: Path) -> dict[str, float]:
    """When a worker first took each job, by its own log."""
    taken: dict[str, float] = {}
    for path in (logs / "batch").rglob("*.log"):
        for clock, milliseconds, job_id in _TAKEN.findall(path.read_text()):
            at = datetime.fromisoformat(clock).timestamp() + int(milliseconds) / 1000
            taken[job_id] = min(at, taken.get(job_id, at))
    return taken


if __name__ == "__main__":
    print(measure().text())
