"""The page in Chromium against the real local cloud: what a new user does, sees and runs into."""

import base64
import gzip
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest
from ascension_vision.result import decode
from playwright.sync_api import Page, expect

from tests.e2e.conftest import ROOT, Stack
from tests.e2e.phone import Phone
from tests.e2e.visit import PATIENCE_MS, SMALL_PHONE, Climbed, Visit, overlay_pixels

WEB = ROOT / "web"
LEFT, RIGHT, GRAVITY = (56, 189, 248), (251, 146, 60), (250, 204, 21)
JOINTS = (11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)


def test_a_new_user_sends_a_video_and_watches_it_become_an_analysis(visitor: Callable[..., Visit], climb: Path) -> None:
    visit = visitor()
    page = visit.page
    visit.open()
    page.get_by_label("E-mail address").fill(f"{os.urandom(6).hex()}@example.com")
    page.get_by_label("Password").fill("password")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("alert")).to_contain_text("not among the most common")
    page.get_by_label("Password").fill(os.urandom(9).hex())
    page.get_by_role("button", name="Create account").click()

    page.wait_for_selector("#drop")
    page.locator("#video").set_input_files(climb)
    page.wait_for_selector("#stage")
    page.evaluate(
        """() => {
          window.stages = [];
          const note = () => window.stages.push(document.querySelector('#stage')?.textContent);
          note();
          new MutationObserver(note).observe(document.querySelector('#main'), {subtree: true, childList: true});
        }"""
    )
    visit.wait_for_video()
    stages = page.evaluate("window.stages.filter(Boolean)")
    assert any("following the climber" in stage for stage in stages), stages
    shares = [int(match[1]) for stage in stages if (match := re.search(r"(\d+)%", stage))]
    assert shares == sorted(shares)

    assert page.locator("video").evaluate("video => video.src").startswith("blob:")
    numbers = page.locator("#numbers")
    expect(numbers).to_contain_text("Geometric entropy")
    expect(numbers).to_contain_text("No Ghost Climber was asked for.")
    expect(page.locator("#curves > .chart").nth(2)).to_be_visible()
    visit.picture("journey")

    page.get_by_role("link", name="All climbs").click()
    expect(page.locator("#climbs")).to_contain_text("sample.mp4")
    expect(page.locator("#climbs")).to_contain_text("done")
    expect(page.locator("#climbs img")).to_be_visible()
    expect(page.locator("#usage")).to_have_text("1 of 10 analyses used this month")


def test_the_overlay_lies_where_the_analysis_says_on_the_frame_that_is_shown(
    visitor: Callable[..., Visit], climbed: Climbed, clock: Path
) -> None:
    visit = visitor(device_scale_factor=2)
    visit.page.add_init_script(NOTE_DISCS)
    visit.show(climbed.phone, climbed.job_id)
    visit.page.locator(".result input[type=file]").set_input_files(clock)
    visit.until("() => document.querySelector('video').src.startsWith('blob:')")
    visit.wait_for_video()
    for layer in ("holds", "contacts"):  # they are drawn under and around the joints
        if (box := visit.page.locator(f".toggles input[name={layer}]")).count():
            box.uncheck()
    boxes = visit.page.evaluate(
        """() => ['video', '.overlay'].map((selector) => {
          const {x, y, width, height} = document.querySelector(selector).getBoundingClientRect();
          return [x, y, width, height];
        })"""
    )
    assert boxes[0] == boxes[1]
    assert boxes[0][2] / boxes[0][3] == pytest.approx(360 / 640, rel=0.01)

    frames = climbed.verbose["poses"]["frames"]
    seen = [i for i, frame in enumerate(frames) if frame["landmarks"]]
    for index in seen[:: max(1, len(seen) // 10)][:10]:
        visit.seek(frames[index]["t"])
        canvas = overlay_pixels(visit.page)
        assert frame_on_screen(visit.page) == index
        check_discs(visit.page, canvas.shape, frames[index])
        check_joints(canvas, frames[index]["landmarks"])
        check_gravity(canvas, frames[index]["center_of_gravity"])


# Remembers the centre of every disc since the canvas was last cleared.
NOTE_DISCS = """
const {clearRect, arc} = CanvasRenderingContext2D.prototype;
window.discs = [];
CanvasRenderingContext2D.prototype.clearRect = function (...box) {
  window.discs = [];
  return clearRect.apply(this, box);
};
CanvasRenderingContext2D.prototype.arc = function (x, y, ...rest) {
  window.discs.push([x, y]);
  return arc.call(this, x, y, ...rest);
};
"""


def check_discs(page: Page, shape: tuple[int, ...], frame: dict[str, Any]) -> None:
    """Twelve joints and the centre of gravity, each an outline and a disc, within a hundredth of a pixel."""
    expected = [frame["landmarks"][joint][:2] for joint in JOINTS] + [frame["center_of_gravity"]]
    pixels = np.repeat(np.array(expected) * (shape[1], shape[0]), 2, axis=0)
    assert np.abs(np.array(page.evaluate("window.discs")) - pixels).max() < 0.01


def check_joints(canvas: npt.NDArray[np.int64], landmarks: list[list[float]]) -> None:
    """Each joint that is in sight shows in its side's colour."""
    height, width = canvas.shape[:2]
    checked = 0
    for joint in JOINTS:
        x, y, _, visibility = landmarks[joint]
        distances = [
            np.hypot((landmarks[o][0] - x) * width, (landmarks[o][1] - y) * height) for o in JOINTS if o != joint
        ]
        if visibility < 0.4 or min(distances) < 16:
            continue  # drawn dark, or under another joint
        color = np.array(LEFT if joint % 2 else RIGHT)
        column, row = int(x * width), int(y * height)
        if not (8 <= column < width - 8 and 8 <= row < height - 8):
            continue
        around = canvas[row - 1 : row + 2, column - 1 : column + 2, :3]
        if np.abs(around - np.array(GRAVITY)).sum(axis=-1).min() < 60:
            continue  # under the trail
        assert np.abs(around - color).max() <= 8, (joint, around)
        checked += 1
    assert checked >= 5


def check_gravity(canvas: npt.NDArray[np.int64], center: list[float]) -> None:
    """The dot of the centre of gravity shows where it should, within a pixel of the page."""
    height, width = canvas.shape[:2]
    column, row = center[0] * width, center[1] * height
    left, top = int(column) - 12, int(row) - 12
    window = canvas[top : top + 25, left : left + 25]
    yellow = np.abs(window[..., :3] - np.array(GRAVITY)).max(axis=-1) <= 4
    rows, columns = np.nonzero(yellow)
    assert len(rows) > 12
    # The trail's newest piece hangs on the disc, hence the median.
    assert abs(np.median(columns) + left + 0.5 - column) <= 1.5
    assert abs(np.median(rows) + top + 0.5 - row) <= 1.5


def frame_on_screen(page: Page) -> int:
    """Which picture of the `clock` the video element shows."""
    levels = page.evaluate(
        """() => {
          const video = document.querySelector('video');
          const canvas = document.createElement('canvas');
          [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
          const context = canvas.getContext('2d');
          context.drawImage(video, 0, 0);
          const at = (bit) => context.getImageData((bit + 0.5) * canvas.width / 8, canvas.height / 2, 1, 1).data[1];
          return [0, 1, 2, 3, 4, 5, 6, 7].map(at);
        }"""
    )
    return sum(1 << bit for bit, level in enumerate(levels) if level > 128)


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of the climb's shape and length whose pictures tell their own number: eight stripes, a bit each."""
    path = tmp_path_factory.mktemp("clock") / "clock.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 360, 640, "yuv420p"
        for number in range(90):
            stripes = np.array([255 * (number >> bit & 1) for bit in range(8)], dtype=np.uint8)
            picture = np.broadcast_to(np.repeat(stripes, 45)[None, :, None], (640, 360, 3))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")))
        container.mux(stream.encode())
    return path


def test_the_pages_decoder_equals_the_reference_decoder(visitor: Callable[..., Visit], climbed: Climbed) -> None:
    visit = visitor()
    visit.open()
    spelled_out = visit.page.evaluate(
        """async (compact) => {
          const {verbose} = await import('./decode.js');
          return JSON.stringify(verbose(JSON.parse(compact)));
        }""",
        json.dumps(climbed.compact),
    )
    expected = decode.verbose(climbed.compact)
    assert json.loads(spelled_out) == expected == climbed.verbose


def test_a_link_to_an_analysis_asks_to_sign_in_and_plays_the_stored_video(
    visitor: Callable[..., Visit], climbed: Climbed
) -> None:
    visit = visitor()
    visit.show(climbed.phone, climbed.job_id)
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("sample.mp4")
    visit.page.reload()
    visit.wait_for_video()


def test_without_the_stored_video_the_skeleton_shows_and_the_file_is_asked_for(
    visitor: Callable[..., Visit], climbed: Climbed, climb: Path
) -> None:
    visit = visitor()
    page = visit.page
    page.route(re.compile(r"/videos/[^/]+$"), lambda route: route.fulfill(status=404, json={"type": "video-not-found"}))
    visit.open(f"#/analysis/{climbed.job_id}")
    visit.sign_in(climbed.phone)
    expect(page.locator(".placeholder")).to_contain_text("Choose the video")
    assert (overlay_pixels(page)[..., 3] > 0).any()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a video").click()
    chooser.value.set_files(climb)
    visit.wait_for_video()
    expect(page.locator(".placeholder")).to_be_hidden()
    expect(page.locator(".warning").first).to_be_hidden()


def test_keys_play_step_and_jump(visitor: Callable[..., Visit], climbed: Climbed) -> None:
    visit = visitor()
    visit.show(climbed.phone, climbed.job_id)
    page = visit.page
    visit.seek(1.0)
    for key, expected in ((".", 31 / 30), (".", 32 / 30), (",", 31 / 30), (",", 1.0), ("ArrowRight", 2.0), ("Home", 0)):
        page.keyboard.press(key)
        visit.until_drawn(expected)
    page.keyboard.press("Space")
    visit.until("() => Number(document.querySelector('.overlay').dataset.t) > 0.3")
    page.keyboard.press("Space")
    assert page.evaluate("document.querySelector('video').paused")


def test_while_it_plays_the_overlay_is_never_another_frames(visitor: Callable[..., Visit], climbed: Climbed) -> None:
    visit = visitor()
    visit.show(climbed.phone, climbed.job_id)
    page = visit.page
    page.get_by_label("Speed", exact=True).select_option("0.5")
    # Registered after the player's own callback, so it runs after it, for the same frame.
    page.evaluate(
        """() => {
          const video = document.querySelector('video');
          window.pairs = [];
          const note = (_, frame) => {
            window.pairs.push([frame.mediaTime, Number(document.querySelector('.overlay').dataset.t)]);
            video.requestVideoFrameCallback(note);
          };
          video.requestVideoFrameCallback(note);
          video.currentTime = 0;
          video.play();
        }"""
    )
    visit.until("() => window.pairs.length > 30")
    pairs = page.evaluate("window.pairs")
    assert max(abs(shown - drawn) for shown, drawn in pairs) < 0.001
    assert page.evaluate("document.querySelector('video').playbackRate") == 0.5


# The browser tells of the first frame alone, and only when another one has been asked for.
TELL_LATE_AND_ONCE = """
let told = false;
const {prototype} = HTMLVideoElement;
const tell = prototype.requestVideoFrameCallback;
prototype.requestVideoFrameCallback = function (callback) {
  if (told) return 0;
  told = true;
  return tell.call(this, (now, frame) =>
    this.addEventListener('seeking', () => setTimeout(() => callback(now, frame)), {once: true}));
};
"""


def test_a_frame_of_which_the_browser_does_not_tell_gets_its_own_skeleton(
    visitor: Callable[..., Visit], climbed: Climbed
) -> None:
    visit = visitor()
    visit.page.add_init_script(TELL_LATE_AND_ONCE)
    visit.show(climbed.phone, climbed.job_id)
    for t in (1.0, 2.0, 0.5):
        visit.seek(t)


def test_a_file_that_is_no_video_fails_with_a_reason(
    visitor: Callable[..., Visit], stack: Stack, tmp_path: Path
) -> None:
    fake = tmp_path / "notes.mp4"
    fake.write_text("not a video at all\n" * 50)
    visit = visitor()
    visit.open()
    visit.sign_in(Phone(stack.api_url))
    visit.page.locator("#video").set_input_files(fake)
    expect(visit.page.locator(".failed")).to_contain_text("This file is not a video we can read", timeout=PATIENCE_MS)
    visit.picture("failed")


def test_a_refused_file_says_why_before_anything_is_sent(
    visitor: Callable[..., Visit], stack: Stack, tmp_path: Path
) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("beta")
    visit = visitor()
    visit.open()
    visit.sign_in(Phone(stack.api_url))
    visit.page.locator("#video").set_input_files(text)
    expect(visit.page.get_by_role("alert")).to_contain_text("MP4, MOV")


def test_a_wrong_password_is_answered_in_the_servers_words_and_in_the_users_language(
    visitor: Callable[..., Visit], climbed: Climbed
) -> None:
    visit = visitor()
    page = visit.page
    visit.open(f"#/analysis/{climbed.job_id}")
    page.get_by_label("E-mail address").fill(climbed.phone.credentials["email"])
    page.get_by_label("Password").fill("certainly wrong")
    page.get_by_role("button", name="Sign in", exact=True).click()
    alert = page.get_by_role("alert")
    expect(alert).to_have_text("The e-mail address or the password is wrong. Please check both and try again.")
    page.get_by_label("Language").select_option("de")
    expect(alert).to_contain_text("E-Mail-Adresse oder Passwort ist falsch")
    assert page.evaluate("document.documentElement.lang") == "de"


def test_a_cut_line_during_the_upload_and_during_the_analysis_loses_nothing(
    visitor: Callable[..., Visit], stack: Stack, climb: Path
) -> None:
    visit = visitor()
    page = visit.page
    visit.open()
    visit.sign_in(Phone(stack.api_url))
    cut = {"uploads": 0}

    def refuse_once(route: Any) -> None:
        cut["uploads"] += 1
        if cut["uploads"] == 1:
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route(re.compile(r"/uploads/"), refuse_once)
    page.locator("#video").set_input_files(climb)
    page.wait_for_selector("#stage")
    expect(page.locator("#stage")).to_contain_text("climber", timeout=PATIENCE_MS)
    visit.context.set_offline(True)
    page.wait_for_timeout(500)
    visit.context.set_offline(False)
    visit.wait_for_video()
    assert cut["uploads"] == 2


def test_without_a_websocket_the_page_asks(visitor: Callable[..., Visit], stack: Stack, climb: Path) -> None:
    visit = visitor()
    page = visit.page
    page.route("**/ws/ticket", lambda route: route.abort())
    visit.open()
    visit.sign_in(Phone(stack.api_url))
    page.locator("#video").set_input_files(climb)
    expect(page.locator("#live")).to_contain_text("asking every few seconds")
    visit.wait_for_video()


def test_an_expired_access_token_is_refreshed_unnoticed(visitor: Callable[..., Visit], climbed: Climbed) -> None:
    visit = visitor()
    page = visit.page
    visit.open()
    visit.sign_in(climbed.phone)
    page.wait_for_selector("#drop")
    page.evaluate(
        """() => {
          const session = JSON.parse(localStorage.getItem('ascension.session'));
          localStorage.setItem('ascension.session', JSON.stringify({...session, access_token: 'expired'}));
        }"""
    )
    page.reload()
    expect(page.locator("#climbs")).to_contain_text("sample.mp4")
    assert page.evaluate("JSON.parse(localStorage.getItem('ascension.session')).access_token") != "expired"


def test_two_tabs_share_one_session_and_both_hear_the_news(
    visitor: Callable[..., Visit], stack: Stack, climb: Path
) -> None:
    phone = Phone(stack.api_url)
    first = visitor()
    first.open()
    first.sign_in(phone)
    expect(first.page.locator("#usage")).to_contain_text("0 of 10")
    second = visitor(beside=first)
    second.open()
    expect(second.page.locator("#usage")).to_contain_text("0 of 10")

    first.page.locator("#video").set_input_files(climb)
    first.page.wait_for_selector("#stage")
    second.open(first.page.url.partition("index.html")[2])
    second.page.reload()
    expect(second.page.locator("#live")).to_have_text("live")
    for visit in (first, second):
        expect(visit.page.locator("#stage")).to_contain_text("climber", timeout=PATIENCE_MS)

    first.page.get_by_role("button", name="Sign out").click()
    for visit in (first, second):
        expect(visit.page.locator("#account")).to_be_visible()
    assert second.page.evaluate("localStorage.getItem('ascension.session')") is None


def test_a_video_is_dropped_on_the_page(visitor: Callable[..., Visit], climbed: Climbed, climb: Path) -> None:
    visit = visitor()
    page = visit.page
    visit.open()
    visit.sign_in(climbed.phone)
    page.wait_for_selector("#drop")
    page.route("**/analysis/request-upload", lambda route: route.abort())
    dropped = page.evaluate_handle(
        """(text) => {
          const carried = new DataTransfer();
          const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
          carried.items.add(new File([bytes], 'dropped.mp4', {type: 'video/mp4'}));
          return carried;
        }""",
        base64.b64encode(climb.read_bytes()).decode(),
    )
    with page.expect_request("**/analysis/request-upload") as announced:
        page.dispatch_event("#drop", "dragover", {"dataTransfer": dropped})
        expect(page.locator("#drop")).to_have_class(re.compile("over"))
        page.dispatch_event("#drop", "drop", {"dataTransfer": dropped})
    sent = json.loads(announced.value.post_data or "")
    assert (sent["filename"], sent["file_size_bytes"]) == ("dropped.mp4", climb.stat().st_size)
    assert sent["duration_seconds"] == pytest.approx(3, abs=0.1)
    expect(page.get_by_role("alert").first).to_contain_text("no connection")


@pytest.mark.parametrize("language", ["en", "fr", "de"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_view_fits_a_small_phone_and_breaks_no_accessibility_rule(
    visitor: Callable[..., Visit], climbed: Climbed, language: str, scheme: str
) -> None:
    visit = visitor(viewport=SMALL_PHONE, color_scheme=scheme, has_touch=True, device_scale_factor=2)
    page = visit.page

    def check(name: str) -> None:
        page.get_by_role("combobox").first.select_option(language)
        visit.picture(f"phone-{name}-{language}-{scheme}")
        visit.check_accessibility(name)

    visit.open()
    check("account")
    page.get_by_role("combobox").first.select_option("en")
    visit.sign_in(climbed.phone)
    expect(page.locator("#climbs img")).to_be_visible()
    check("home")
    page.locator("#climbs a").click()
    visit.wait_for_video()
    visit.seek(1.0)
    check("player")


def test_all_modules_are_fetched_at_once() -> None:
    modules = {path.relative_to(WEB).as_posix() for path in WEB.rglob("*.js")}
    fetched = set(re.findall(r'(?:src|rel="modulepreload" href)="([^"]+\.js)"', (WEB / "index.html").read_text()))
    assert fetched == modules


def test_the_page_is_light() -> None:
    size = sum(len(gzip.compress(path.read_bytes())) for path in WEB.rglob("*") if path.is_file())
    assert size < 150_000
