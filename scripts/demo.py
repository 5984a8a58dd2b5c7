"""make demo: one climbing video through the whole system, sent as the phone would send it, with its progress shown.

Environment: VIDEO (a file; without it a sample climb is rendered), OPTIONS (JSON, or name=value pairs).
Leaves out/<name>/analysis.json, overlay.mp4 and summary.png. Exit 0 only if the analysis completed.
"""

import asyncio
import gzip
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import websockets
from ascension_vision.cli import main as vision
from ascension_vision.drawing.overlay import write_overlay
from ascension_vision.drawing.page import measured
from ascension_vision.drawing.summary import write_summary
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
LOCAL = ROOT / os.environ.get("LOCAL_DIR", ".local")
CONTENT_TYPES = {".mp4": "video/mp4", ".m4v": "video/x-m4v", ".mov": "video/quicktime", ".webm": "video/webm"}
# The sample's climber wanders and re-grips, so that the Ghost has something to show. So tall, on a wall that leans so.
SAMPLE_CLUMSINESS, SAMPLE_HEIGHT_M, SAMPLE_WALL_ANGLE_DEG = 0.6, 1.74, 8.0
# Long past any answer that could still come: the workflow's own timeout is shorter.
GIVE_UP_AFTER_S = 1800

console = Console()


class DemoFailed(Exception):
    """The demo cannot go on; the message says why."""


@dataclass
class Timeline:
    """When what happened, in seconds since the demo's main job began."""

    start: float = field(default_factory=time.monotonic)
    moments: dict[str, float] = field(default_factory=dict)

    def mark(self, name: str) -> None:
        self.moments.setdefault(name, time.monotonic() - self.start)

    def between(self, first: str, second: str) -> float:
        return self.moments[second] - self.moments[first]


def options_from_environment() -> dict[str, Any]:
    """OPTIONS as the API takes it; empty where there are none."""
    text = os.environ.get("OPTIONS", "").strip()
    if not text:
        return {}
    try:
        if text.startswith("{"):
            options: dict[str, Any] = json.loads(text)
            return options
        pairs = (pair.split("=", 1) for pair in text.replace(",", " ").split())
        return {name: json.loads(value) for name, value in pairs}
    except ValueError as error:
        raise DemoFailed(f"OPTIONS is neither JSON nor name=value pairs: {text}") from error


def video_to_analyse() -> tuple[str, Path, dict[str, Any]]:
    """VIDEO, or a sample climb rendered once and kept; and what its climber would say of it: the analysis's options."""
    everything: dict[str, Any] = {"detect_holds": True, "generate_ghost": True}
    given = os.environ.get("VIDEO", "")
    if given:
        path = Path(given).expanduser()
        if not path.is_file():
            raise DemoFailed(f"there is no file {given}")
        return path.stem, path, everything
    folder = ROOT / ".local" / "sample" / f"clumsiness-{SAMPLE_CLUMSINESS}"
    video = folder / "sample.mp4"
    if not video.exists():
        console.print("No VIDEO given: rendering a sample climb (once, about a minute)")
        chosen = {
            "--clumsiness": SAMPLE_CLUMSINESS, "--height": SAMPLE_HEIGHT_M, "--wall-angle": SAMPLE_WALL_ANGLE_DEG,
        }  # fmt: skip
        arguments = [text for option, value in chosen.items() for text in (option, str(value))]
        if vision(["sample", "--out", str(folder), *arguments]) != 0 or not video.exists():
            raise DemoFailed("the sample climb could not be rendered")
    told = {"climber_height_cm": 100 * SAMPLE_HEIGHT_M, "wall_angle_deg": SAMPLE_WALL_ANGLE_DEG}
    return "sample", video, everything | told


async def register(api: httpx.AsyncClient) -> dict[str, str]:
    """A new user, signed in from here on. Returns how to sign in as this user elsewhere."""
    credentials = {"email": f"demo-{secrets.token_hex(4)}@example.com", "password": secrets.token_urlsafe(12)}
    answer_of(await api.post("auth/register", json=credentials))
    token = answer_of(await api.post("auth/login", json=credentials))["access_token"]
    api.headers["Authorization"] = f"Bearer {token}"
    console.print(f"Registered and signed in as [bold]{credentials['email']}[/]")
    return credentials


def make_pro(email: str, database_url: str) -> None:
    """The Ghost Climber is Pro's: what an operator does when somebody has paid."""
    command = [sys.executable, "-m", "ascension.accounts", "set-tier", email, "pro"]
    environment = os.environ | {"DATABASE_URL": database_url, "PYTHONPATH": str(ROOT / "layers" / "core")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise DemoFailed(f"the user could not be made Pro: {done.stderr.strip()[-300:]}")
    console.print("Made Pro, as an operator would: python -m ascension.accounts set-tier EMAIL pro")


def answer_of(response: httpx.Response) -> dict[str, Any]:
    """The JSON of a successful answer, or the problem in its own words."""
    if response.is_success:
        answer: dict[str, Any] = response.json()
        return answer
    try:
        problem = response.json()
        reason = f"{problem['title']}: {problem['detail']}"
    except (ValueError, KeyError, TypeError):
        reason = response.text[:300]
    raise DemoFailed(f"{response.request.method} {response.request.url.path} answered {response.status_code}. {reason}")


async def upload(video: Path, target: dict[str, Any], bars: Progress) -> None:
    """PUT the file to its presigned URL, as the phone does."""
    size = video.stat().st_size
    bar = bars.add_task("upload", total=size)

    async def chunks() -> AsyncIterator[bytes]:
        with video.open("rb") as file:
            while chunk := file.read(256 * 1024):
                yield chunk
                bars.advance(bar, len(chunk))

    async with httpx.AsyncClient(timeout=300) as storage:
        headers = {**target["headers"], "Content-Length": str(size)}
        response = await storage.request(target["method"], target["url"], content=chunks(), headers=headers)
    if not response.is_success:
        raise DemoFailed(f"the upload answered {response.status_code}: {response.text[:300]}")


async def follow(api: httpx.AsyncClient, job_id: str, bars: Progress, timeline: Timeline) -> dict[str, Any]:
    """Listen on the WebSocket, and ask now and then in case an event got lost, until the analysis is over."""
    bar = bars.add_task("analysis", total=1.0)
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def listen() -> None:
        ticket = answer_of(await api.post("ws/ticket"))
        async with websockets.connect(ticket["url"]) as socket:
            async for frame in socket:
                message = json.loads(frame)
                if message.get("job_id") == job_id:
                    await heard.put(message)

    async def ask() -> None:
        while True:
            await asyncio.sleep(3)
            job = answer_of(await api.get(f"analysis/{job_id}"))
            await heard.put({"event": f"asked:{job['status']}", "data": job["progress"] | {"error": job["error"]}})

    tasks = [asyncio.create_task(listen()), asyncio.create_task(ask())]
    try:
        async with asyncio.timeout(GIVE_UP_AFTER_S):
            while True:
                message = await heard.get()
                kind, state = message["event"].split(":")
                show(bars, bar, message["data"])
                if state in ("started", "processing"):
                    timeline.mark("started")
                if state in ("completed", "failed"):
                    timeline.mark("over")
                    bars.update(bar, description="analysis", completed=1.0)
                    if kind == "analysis":
                        console.print(f"WebSocket: [bold]{message['event']}[/]")
                    return answer_of(await api.get(f"analysis/{job_id}"))
    except TimeoutError as error:
        raise DemoFailed(f"the analysis is not over after {GIVE_UP_AFTER_S} s: `make logs` shows why") from error
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def show(bars: Progress, bar: TaskID, data: dict[str, Any]) -> None:
    """Move the bar forward, never back: events may overtake one another."""
    done = next(task.completed for task in bars.tasks if task.id == bar)
    if (data.get("fraction") or 0) >= done and "stage" in data:
        bars.update(bar, description=f"analysis: {data['stage']}", completed=data["fraction"])


async def verbose_result(api: httpx.AsyncClient, job_id: str) -> dict[str, Any]:
    """The result spelled out; a long one comes by way of a redirect."""
    answer = answer_of(await api.get(f"analysis/{job_id}", params={"format": "verbose"}, follow_redirects=True))
    result: dict[str, Any] = answer["result"]
    return result


async def run() -> None:
    if subprocess.run([ROOT / "scripts" / "cloud", "up"], cwd=ROOT).returncode != 0:
        raise DemoFailed("the local cloud did not come up")
    stack = json.loads((LOCAL / "stack.json").read_text())
    name, video, options = video_to_analyse()
    options |= options_from_environment()
    out = ROOT / "out" / name
    out.mkdir(parents=True, exist_ok=True)
    timeline = Timeline()
    console.print(f"\nAnalysing [bold]{video}[/] through {stack['api_url']}")
    async with httpx.AsyncClient(base_url=stack["api_url"] + "/", timeout=60) as api:
        credentials = await register(api)
        make_pro(credentials["email"], stack["database_url"])
        request = {
            "filename": video.name,
            "content_type": CONTENT_TYPES.get(video.suffix.lower(), "video/mp4"),
            "file_size_bytes": video.stat().st_size,
            "start": {"options": options},
        }
        announced = answer_of(await api.post("analysis/request-upload", json=request))
        timeline.mark("upload")
        with progress_bars() as bars:
            await upload(video, announced["upload"], bars)
            timeline.mark("uploaded")
            job = await follow(api, announced["job_id"], bars, timeline)
        if job["status"] != "completed":
            raise DemoFailed(f"the analysis failed: {job['error']['title']}. {job['error']['detail']}")
        compact_size = len(gzip.compress(json.dumps(job["result"], separators=(",", ":")).encode()))
        result = await verbose_result(api, announced["job_id"])
    (out / "analysis.json").write_text(json.dumps(result))
    (out / "analysis.compact.json").write_text(json.dumps(job["result"], separators=(",", ":")))
    with progress_bars() as bars:
        bar = bars.add_task("drawing overlay.mp4", total=1.0)
        write_overlay(video, result, out / "overlay.mp4", progress=lambda done: bars.update(bar, completed=done))
        bars.update(bar, completed=1.0)
    write_summary(video, result, out / "summary.png")
    console.print(table(result, job, timeline, compact_size))
    console.print(f"Results: [bold]{out.relative_to(ROOT)}/[/] analysis.json, overlay.mp4, summary.png", soft_wrap=True)
    console.print(f"Viewer:  {stack['web_url']}#/analysis/{job['id']}", soft_wrap=True)
    console.print(f"         sign in as {credentials['email']}, password {credentials['password']}", soft_wrap=True)
    console.print("The local cloud stays up for the next one; `make down` ends it, `make logs` shows what it printed.")


def progress_bars() -> Progress:
    percentage = TextColumn("{task.percentage:>3.0f} %")
    return Progress(TextColumn("{task.description:<32}"), BarColumn(), percentage, TimeElapsedColumn(), console=console)


def table(result: dict[str, Any], job: dict[str, Any], timeline: Timeline, compact_size: int) -> Table:
    """What came out, and how long it took."""
    video, quality = result["video"], result["quality"]
    found, frames = quality["frames_with_climber"], len(result["poses"]["frames"])
    shown = Table(title="Analysis", show_header=False, title_justify="left", min_width=60)
    size = f"{video['width']}×{video['height']}"
    shown.add_row("video", f"{size}, {video['duration_s']:.1f} s, {video['fps']:.3g} frames a second")
    shown.add_row("climber found", f"{found} of {frames} frames ({100 * found / max(frames, 1):.1f} %)")
    holds, contacts = result["holds"], result["contacts"]
    if holds is None or contacts is None:
        shown.add_row("holds", f"[dim]{result['absent']['holds']}[/]")
    else:
        used = sum(hold["used"] for hold in holds)
        shown.add_row(
            "holds", f"{len(holds)} found, {used} used, {len(contacts)} contacts, {len(result['moves'])} moves"
        )
    shown.add_row("Ghost Climber", ghost_in_words(result))
    for name, value in result["metrics"].items():
        info = result["metrics_info"].get(name, {})
        if value is None:
            shown.add_row(name, f"[dim]{info['reason']}[/]")
        else:
            unit = info["unit"] if info["unit"] not in ("1", "ratio") else ""
            shown.add_row(name, f"{measured(value, info.get('uncertainty'))} {unit} [dim]{info['meaning']}[/]")
    for warning in quality["warnings"]:
        shown.add_row("warning", str(warning))
    shown.add_row("result", f"{compact_size / 1000:.0f} kB as sent (compact JSON, gzip)")
    shown.add_row("upload", f"{timeline.between('upload', 'uploaded'):.1f} s")
    if "started" in timeline.moments:
        shown.add_row("uploaded → started", f"{timeline.between('uploaded', 'started'):.1f} s")
    shown.add_row("uploaded → result", f"[bold]{timeline.between('uploaded', 'over'):.1f} s[/]")
    shown.add_row("of which analysis", f"{job['processing_time_ms'] / 1000:.1f} s")
    return shown


def ghost_in_words(result: dict[str, Any]) -> str:
    ghost = result["ghost"]
    if ghost is None:
        return f"[dim]{result['absent']['ghost']}[/]"
    certificate = ghost["certificate"]
    failed = [name for name, gate in certificate["gates"].items() if not gate["passed"]]
    verdict = f"does not pass: {', '.join(failed)}" if failed else "passes every gate"
    changes = (f"{name.replace('_', ' ')} {change:+.0%}" for name, change in certificate["change"].items() if change)
    earlier = (
        f"the {foot['limb'].replace('_', ' ')} goes before the {foot['before'].replace('_', ' ')} at {foot['at']:.1f} s"
        for foot in certificate["foot_order"]
    )
    return "\n".join([f"{verdict}; {', '.join([*changes, *earlier])}", *(cue["text"] for cue in ghost["cues"])])


if __name__ == "__main__":
    try:
        asyncio.run(run())
    except DemoFailed as failure:
        console.print(f"[red]make demo failed:[/] {failure}", soft_wrap=True)
        sys.exit(1)
