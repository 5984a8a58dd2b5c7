"""A visitor of the page: one tab in Chromium, and what a test does and reads there."""

import base64
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.phone import PATIENCE_S, Phone

if TYPE_CHECKING:
    from tests.e2e.conftest import Stack

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / ".local/e2e/pictures"  # looked at by people, not by tests
PATIENCE_MS = PATIENCE_S * 1000
# What is there within 30 s is there: on a busy machine a function's first answer takes more than Playwright's five.
expect.set_options(timeout=30_000)
DESKTOP, SMALL_PHONE = {"width": 1280, "height": 860}, {"width": 360, "height": 640}

VIDEO_STATE = """() => {
  const {currentTime, seeking, readyState, networkState, error, src} = document.querySelector('video');
  const drawn = document.querySelector('.overlay').dataset.t;
  return {currentTime, seeking, readyState, networkState, error: error?.message, src: src.slice(0, 40), drawn};
}"""


@dataclass
class Visit:
    """One visitor's tab, and what went on in it unseen."""

    page: Page
    context: BrowserContext
    stack: "Stack"
    hosts: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(30_000)
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self, fragment: str = "") -> None:
        self.page.goto(self.stack.web_url + fragment)

    def sign_in(self, phone: Phone) -> None:
        if self.page.locator("#account h1").inner_text() != "Sign in":
            self.page.get_by_role("button", name="I have an account already").click()
        self.page.get_by_label("E-mail address").fill(phone.credentials["email"])
        self.page.get_by_label("Password").fill(phone.credentials["password"])
        self.page.get_by_role("button", name="Sign in", exact=True).click()
        self.page.wait_for_selector("#account", state="detached")

    def show(self, phone: Phone, job_id: str) -> None:
        """The player with the analysis and its video."""
        self.open(f"#/analysis/{job_id}")
        self.sign_in(phone)
        self.wait_for_video()

    def wait_for_video(self) -> None:
        self.page.wait_for_selector(".player", timeout=PATIENCE_MS)
        self.until("() => document.querySelector('video').readyState >= 2")

    def seek(self, t: float) -> None:
        """To the frame at `t` seconds, and until what belongs to it is drawn."""
        self.page.evaluate("t => { document.querySelector('video').currentTime = t + 0.005 }", t)
        self.until_drawn(t)

    def until_drawn(self, t: float) -> None:
        self.until("t => Math.abs(Number(document.querySelector('.overlay').dataset.t) - t) < 0.002", t)

    def until(self, condition: str, argument: object = None) -> None:
        """Playwright's own wait_for_function wants eval(), which the page's policy forbids."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.page.evaluate(condition, argument):
            assert time.monotonic() < deadline, (
                f"never true: {condition} of {argument}; {self.page.evaluate(VIDEO_STATE)}"
            )
            self.page.wait_for_timeout(20)

    def picture(self, name: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png")

    def check_accessibility(self, name: str) -> None:
        """Nothing is wider than the screen, and axe finds nothing."""
        width = self.page.viewport_size["width"] if self.page.viewport_size else 0
        assert self.page.evaluate("document.documentElement.scrollWidth") <= width, name
        violations = Axe().run(self.page).response["violations"]
        told = [(rule["id"], [node["html"][:120] for node in rule["nodes"]]) for rule in violations]
        assert told == [], name


@dataclass(frozen=True)
class Climbed:
    """An account with one finished analysis."""

    phone: Phone
    job_id: str
    compact: dict[str, Any]
    verbose: dict[str, Any]
    truth: dict[str, Any]


def overlay_pixels(page: Page) -> npt.NDArray[np.int64]:
    """(rows, columns, 4) of the overlay's canvas, RGBA."""
    width, height, data = page.evaluate(
        """() => {
          const canvas = document.querySelector('.overlay');
          const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          let text = '';
          for (let i = 0; i < data.length; i += 8192) text += String.fromCharCode(...data.subarray(i, i + 8192));
          return [canvas.width, canvas.height, btoa(text)];
        }"""
    )
    return np.frombuffer(base64.b64decode(data), dtype=np.uint8).reshape(height, width, 4).astype(np.int64)
