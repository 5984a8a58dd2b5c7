"""A client as the mobile app would be: the public HTTP and WebSocket endpoints of contract.md, nothing else."""

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

# Far above anything measured: a test that waits this long has found something that hangs.
PATIENCE_S = 300


@dataclass
class Listener:
    """Everything one WebSocket connection was told, in order."""

    socket: ClientConnection
    heard: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._thread = Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        try:
            for frame in self.socket:
                self.heard.append(json.loads(frame))
        except ConnectionClosed:
            return

    def events_of(self, job_id: str) -> list[dict[str, Any]]:
        return [message for message in list(self.heard) if message.get("job_id") == job_id]

    def wait_for(self, job_id: str, *names: str) -> dict[str, Any]:
        """The first event of the job with one of the names."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            for message in self.events_of(job_id):
                if message["event"] in names:
                    return message
            time.sleep(0.05)
        raise AssertionError(f"none of {names} came for {job_id}; heard {[m['event'] for m in self.events_of(job_id)]}")


class Phone:
    """One user with a fresh account."""

    def __init__(self, api_url: str) -> None:
        self.http = httpx.Client(base_url=api_url + "/", timeout=60)
        self.credentials = {"email": f"{secrets.token_hex(6)}@example.com", "password": secrets.token_urlsafe(16)}
        self.user = self.post("auth/register", 201, **self.credentials)["user"]
        tokens = self.post("auth/login", 200, **self.credentials)
        self.http.headers["Authorization"] = f"Bearer {tokens['access_token']}"

    def post(self, path: str, status: int, **body: Any) -> dict[str, Any]:
        response = self.http.post(path, json=body)
        assert response.status_code == status, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def request_upload(self, video: Path, announced_size: int | None = None, **members: Any) -> dict[str, Any]:
        size = video.stat().st_size if announced_size is None else announced_size
        return self.post(
            "analysis/request-upload",
            201,
            filename=video.name,
            content_type="video/mp4",
            file_size_bytes=size,
            **members,
        )

    def put(self, video: Path, target: dict[str, Any]) -> httpx.Response:
        # Whatever length was announced, the client sends the file that it has.
        headers = {name: value for name, value in target["headers"].items() if name.lower() != "content-length"}
        return httpx.request(target["method"], target["url"], content=video.read_bytes(), headers=headers, timeout=60)

    def upload(self, video: Path, target: dict[str, Any]) -> None:
        response = self.put(video, target)
        assert response.status_code == 200, response.text

    def analyse(self, video: Path, **options: Any) -> str:
        """Announce, upload and start in one go. Returns the job."""
        announced = self.request_upload(video, start={"options": options})
        self.upload(video, announced["upload"])
        job_id: str = announced["job_id"]
        return job_id

    def job(self, job_id: str, form: str = "compact") -> dict[str, Any]:
        response = self.http.get(f"analysis/{job_id}", params={"format": form}, follow_redirects=True)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def wait(self, job_id: str, *statuses: str) -> dict[str, Any]:
        """The job once it has one of the statuses (by default: is over)."""
        wanted = statuses or ("completed", "failed")
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            job = self.job(job_id)
            if job["status"] in wanted:
                return job
            time.sleep(0.2)
        raise AssertionError(f"{job_id} is still {job['status']} ({job['progress']})")

    @contextmanager
    def listening(self) -> Iterator[Listener]:
        """An open WebSocket, by ticket as a browser would."""
        ticket = self.post("ws/ticket", 200)
        with connect(ticket["url"], open_timeout=30) as socket:
            yield Listener(socket)
