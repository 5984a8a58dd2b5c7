"""The page in Chromium: how long it takes until it can be used, to decode a result, to open it, and to draw a frame.

A visitor's browser decodes a result once, with code that it has never run; so the first time in fresh pages is told
beside the median of many times in one. The decoder spells a frame out when it is read. So decoding counts as done when
a frame of the climber and of the Ghost can be drawn, and what it takes to read all of them is told, too.

The result is a perfect analysis of a climb that was planned but never rendered: thirty seconds at thirty frames a
second with everything in it, filmed by hand, so that no frame sees the wall from the same place as the one before.
The page comes from a plain server in this process, without a video, so that no video decoder takes part. Drawing a
frame is all that the player does for it: the picture, the timeline of contacts, the curves' playheads.
"""

import gzip
import json
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ascension_vision.result.document import compact
from ascension_vision.scene import CameraOptions, SceneOptions, plan_scene
from playwright.sync_api import Browser, Page, sync_playwright

from bench.report import Goal, NotNow, Report, Table, quantile
from bench.surroundings import ROOT
from tests.unit.vision import perfect

WEB = ROOT / "web"
GOAL_USABLE_MS, GOAL_DECODE_MS, GOAL_FRAME_MS, GOAL_BYTES = 1000, 10, 1000 / 60, 150_000
MAX_LOAD = 1.5
VISITS, DECODINGS, FRAMES = 5, 15, 300
SCREEN = {"width": 1920, "height": 1200}

_READ = """
  const {verbose} = await import('./decode.js');
  const read = ({landmarks, world, angles, center_of_gravity, loads}) => {};
  const one = ({poses, ghost}) => {
    read(poses.frames[poses.frames.length >> 1]);
    read(ghost.frames[ghost.frames.length >> 1]);
  };
  const all = ({poses, camera, loads, ghost}) => {
    poses.frames.forEach(read);
    ghost.frames.forEach(read);
    return [camera.frames, loads.frames, ghost.certificate.frames];
  };
  const taken = (text) => {
    const compact = JSON.parse(text);
    const started = performance.now();
    const result = verbose(compact);
    one(result);
    const decoded = performance.now() - started;
    all(result);
    return {decoded, whole: performance.now() - started};
  };
"""

_DECODE_ONCE = f"async (text) => {{ {_READ} return taken(text); }}"

_DECODE = f"""async ([text, times]) => {{
  {_READ}
  const parsed = Array.from({{length: times}}, () => {{
    const started = performance.now();
    JSON.parse(text);
    return performance.now() - started;
  }});
  const runs = Array.from({{length: times}}, () => taken(text));
  return {{parsed, decoded: runs.map((run) => run.decoded), whole: runs.map((run) => run.whole)}};
}}"""

_OPEN = """async (text) => {
  const {Climb} = await import('./climb.js');
  const {resultView} = await import('./result-view.js');
  await new Promise(requestAnimationFrame);
  const started = performance.now();
  const {node, player} = resultView(new Climb(JSON.parse(text)), {analysis: null});
  document.getElementById('main').replaceChildren(node);
  player.useNothing();
  return new Promise((resolve) => requestAnimationFrame(() => resolve(performance.now() - started)));
}"""

_DRAW = """async ([text, frames]) => {
  const {Climb} = await import('./climb.js');
  const {resultView} = await import('./result-view.js');
  const climb = new Climb(JSON.parse(text));
  const {node, player} = resultView(climb, {analysis: null});
  document.getElementById('main').replaceChildren(node);
  player.useNothing();
  player.stage.setLayer('types', true);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const canvas = player.stage.canvas;
  const step = climb.duration / frames;
  const drawn = [];
  const gaps = [];
  await new Promise((resolve) => {
    let last = 0;
    let frame = 0;
    const draw = (now) => {
      if (frame) gaps.push(now - last);
      last = now;
      const started = performance.now();
      player.seek(frame * step);
      drawn.push(performance.now() - started);
      if (++frame < frames) requestAnimationFrame(draw);
      else resolve();
    };
    requestAnimationFrame(draw);
  });
  return {drawn, gaps, size: [canvas.width, canvas.height]};
}"""


def measure() -> Report:
    """Open the page again and again, decode, draw."""
    if (load := os.getloadavg()[0]) > MAX_LOAD:
        raise NotNow(f"the machine is busy (load {load:.1f}, {MAX_LOAD} at most)")
    chromium = os.environ.get("ASCENSION_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        raise NotNow("no Chromium here: install one, or name it in ASCENSION_CHROMIUM")
    document = json.dumps(_document(), separators=(",", ":"), ensure_ascii=False)
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with _served() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        usable = [_usable_ms(browser.new_page(viewport=SCREEN), address) for _ in range(VISITS)]
        first: list[dict[str, float]] = [_first_visit(browser, address, _DECODE_ONCE, document) for _ in range(VISITS)]
        opened: list[float] = [_first_visit(browser, address, _OPEN, document) for _ in range(VISITS)]
        page = browser.new_page(viewport=SCREEN)
        page.goto(address)
        decoding: dict[str, list[float]] = page.evaluate(_DECODE, [document, DECODINGS])
        drawing: dict[str, Any] = page.evaluate(_DRAW, [document, FRAMES])
        version = browser.version
        browser.close()
    size = sum(len(gzip.compress(path.read_bytes())) for path in WEB.rglob("*") if path.is_file())
    width, height = drawing["size"]
    rows = [
        ("until the page can be used", usable),
        ("parsing the JSON", decoding["parsed"]),
        ("decoding it", decoding["decoded"]),
        ("decoding it and reading every frame", decoding["whole"]),
        ("decoding it, the first time in a fresh page", [run["decoded"] for run in first]),
        ("decoding it and reading every frame, the first time", [run["whole"] for run in first]),
        ("from the JSON to its first picture, the first time", opened),
        (f"drawing a frame with everything on, {width} x {height}", drawing["drawn"]),
        ("from one animation frame to the next meanwhile", drawing["gaps"]),
    ]
    times = Table("ms", ("what", "runs", "median", "p95", "most"))
    for what, values in rows:
        times.rows.append((what, len(values), quantile(values, 0.5), quantile(values, 0.95), max(values)))
    sizes = Table("bytes after gzip", ("what", "bytes"))
    sizes.rows += [("all of the page", size), ("the result", len(gzip.compress(document.encode())))]
    decoded, drawn = quantile(decoding["decoded"], 0.5), quantile(drawing["drawn"], 0.95)
    decoded_first = quantile([run["decoded"] for run in first], 0.5)
    return Report(
        tables=[times, sizes],
        goals=[
            Goal(f"usable in under {GOAL_USABLE_MS} ms", quantile(usable, 0.5) < GOAL_USABLE_MS),
            Goal(f"decoding in under {GOAL_DECODE_MS} ms", decoded < GOAL_DECODE_MS),
            Goal(
                f"decoding in under {GOAL_DECODE_MS} ms the first time",
                decoded_first < GOAL_DECODE_MS,
            ),
            Goal(f"95 of 100 frames drawn in under {GOAL_FRAME_MS:.1f} ms", drawn < GOAL_FRAME_MS),
            Goal(f"the page under {GOAL_BYTES} bytes", size < GOAL_BYTES),
        ],
        notes=["Without a graphics card Chromium paints in software, on the same cores."],
        packages=("playwright",),
        versions={"chromium": version},
    )


def _document() -> dict[str, Any]:
    camera = CameraOptions(pan=0.6, shake_deg=0.4)
    scene = plan_scene(SceneOptions(seed=11, duration_s=30.0, fps=30, width=1080, height=1920, camera=camera))
    return compact(perfect.findings(scene))


def _usable_ms(page: Page, address: str) -> float:
    """From asking for the page until the form to sign in can be filled."""
    page.goto(address)
    page.wait_for_selector("#email")
    took: float = page.evaluate("performance.getEntriesByType('paint').at(-1).startTime")
    page.close()
    return took


def _first_visit(browser: Browser, address: str, script: str, document: str) -> Any:
    """What the script tells in a page that has decoded nothing yet."""
    page = browser.new_page(viewport=SCREEN)
    page.goto(address)
    told = page.evaluate(script, document)
    page.close()
    return told


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _served() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(WEB))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/index.html"
        server.shutdown()
