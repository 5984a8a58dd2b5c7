"""What the page shows of a complete analysis: holds, contacts, Ghost, cues, loads and numbers.

The analysis is made up (``full_analysis``) around a real one, so that every value on the screen is known; the page gets
it in place of the real one's result and talks to the real local cloud about everything else.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Route, expect

from tests.e2e.full_analysis import CUE_AT, GHOST_SHIFT, GHOST_SPEED, full_analysis
from tests.e2e.visit import SMALL_PHONE, Climbed, Visit, overlay_pixels

LIMB_COLORS = {
    "left_hand": (56, 189, 248), "right_hand": (251, 146, 60), "left_foot": (129, 140, 248),
    "right_foot": (244, 114, 182),
}  # fmt: skip
GHOST_COLOR, OUTLINE = (134, 239, 172), (15, 23, 42)
DRAWN = ("Skeleton", "Centre of gravity", "Holds", "All types", "Contacts")


@pytest.fixture(scope="module")
def full(climbed: Climbed) -> dict[str, Any]:
    return full_analysis(climbed.verbose, climbed.truth)


@pytest.fixture
def show(visitor: Callable[..., Visit], climbed: Climbed, full: dict[str, Any]) -> Callable[..., Visit]:
    """Opens the player with the complete analysis; ``changed`` members differ from it."""

    def open_player(changed: dict[str, Any] | None = None, **options: Any) -> Visit:
        visit = visitor(**options)
        serve(visit, climbed, full | (changed or {}))
        visit.show(climbed.phone, climbed.job_id)
        return visit

    return open_player


def serve(visit: Visit, climbed: Climbed, result: dict[str, Any]) -> None:
    """In place of what the API would answer as this analysis's result."""

    def enrich(route: Route) -> None:
        answer = route.fetch().json()
        answer["result"] = result
        route.fulfill(json=answer)

    visit.page.route(re.compile(rf"/analysis/{climbed.job_id}$"), enrich)


def show_only(visit: Visit, *names: str, ghost: str = "Off") -> npt.NDArray[np.int64]:
    """The overlay's pixels with only these layers on."""
    for name in DRAWN:
        visit.page.get_by_label(name, exact=name == "Holds").set_checked(name in names)
    choose_ghost(visit, ghost)
    return overlay_pixels(visit.page)


def choose_ghost(visit: Visit, mode: str) -> None:
    visit.page.locator(".ghost-modes").get_by_text(mode, exact=True).click()


def ink(drawn: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """(left, top, right, bottom) of all that is drawn, in shares of the picture."""
    rows, columns = np.nonzero(drawn[..., 3] > 128)
    assert len(rows)
    sides = np.array([columns.min(), rows.min(), columns.max(), rows.max()])
    return np.asarray(sides / np.array([drawn.shape[1], drawn.shape[0]] * 2))


def has_color(drawn: npt.NDArray[np.int64], color: tuple[int, ...], opacity: float = 1) -> bool:
    """Whether something has this colour: solid, or with an opacity over an outline with the same."""
    covered = 1 - (1 - opacity) ** 2
    under = (1 - opacity) * opacity / covered
    expected = np.array(color) * (1 - under) + np.array(OUTLINE) * under
    solid = np.abs(drawn[..., 3] - 255 * covered) < 6
    return bool((solid & (np.abs(drawn[..., :3] - expected).max(axis=-1) <= 6)).any())


def frame_at(full: dict[str, Any], t: float) -> dict[str, Any]:
    frame: dict[str, Any] = min(full["poses"]["frames"], key=lambda each: abs(each["t"] - t))
    return frame


def test_holds_are_drawn_where_the_camera_sees_them_and_named_if_their_type_is_known(
    show: Callable[..., Visit], full: dict[str, Any]
) -> None:
    # The camera has moved a tenth of the picture to the right: what is on the wall is seen further to the left.
    camera = {"frames": [[[1, 0, 0.1], [0, 1, 0], [0, 0, 1]] for _ in full["poses"]["frames"]], "still": False}
    hold = full["holds"][0] | {"box": [0.4, 0.5, 0.5, 0.55], "outline": [], "type": "unknown"}
    visit = show({"camera": camera, "holds": [hold]}, device_scale_factor=2)
    visit.seek(frame_at(full, 1.0)["t"])
    unnamed = ink(show_only(visit, "Holds", "All types"))
    assert unnamed == pytest.approx([0.3, 0.5, 0.4, 0.55], abs=0.012)

    visit = show({"camera": camera, "holds": [hold | {"type": "jug"}]}, device_scale_factor=2)
    visit.seek(frame_at(full, 1.0)["t"])
    named = ink(show_only(visit, "Holds", "All types"))
    assert named[1] < 0.49
    assert named[[0, 2, 3]] == pytest.approx([0.3, 0.4, 0.55], abs=0.012)


def test_a_held_hold_and_the_limb_on_it_are_ringed_in_the_limbs_colour(
    show: Callable[..., Visit], full: dict[str, Any]
) -> None:
    visit = show(device_scale_factor=2)
    frame = frame_at(full, 1.0)
    visit.seek(frame["t"])
    held = [contact for contact in full["contacts"] if contact["start"] <= frame["t"] <= contact["end"]]
    drawn = show_only(visit, "Contacts")
    assert held
    for contact in held:
        assert has_color(drawn, LIMB_COLORS[contact["limb"]], opacity=0.45 + 0.55 * contact["confidence"])
    sides = ink(drawn)
    boxes = np.array([hold["box"] for hold in full["holds"] if hold["id"] in {c["hold_id"] for c in held}])
    assert sides[0] <= boxes[:, 0].min()
    assert sides[2] >= boxes[:, 2].max()
    assert sides[1] <= boxes[:, 1].min()
    assert sides[3] >= boxes[:, 3].max()


def test_the_ghost_is_shown_over_beside_alone_and_not_at_all(show: Callable[..., Visit], full: dict[str, Any]) -> None:
    visit = show(device_scale_factor=2)
    page = visit.page
    frame = frame_at(full, 1.0)
    visit.seek(frame["t"])
    assert has_color(show_only(visit, "Skeleton", ghost="Overlaid"), GHOST_COLOR)
    assert not has_color(show_only(visit, "Skeleton", ghost="Off"), GHOST_COLOR)
    only = show_only(visit, "Skeleton", ghost="Only Ghost")
    assert has_color(only, GHOST_COLOR)
    assert not has_color(only, (241, 245, 249))  # the climber's shoulders
    choose_ghost(visit, "Side by side")
    assert not has_color(overlay_pixels(page), GHOST_COLOR)
    beside = page.locator(".beside canvas")
    expect(beside).to_be_visible()
    pictures = [page.locator(name).bounding_box() for name in (".overlay", ".beside canvas")]
    assert pictures[0]
    assert pictures[1]
    assert (pictures[0]["width"], pictures[0]["height"]) == pytest.approx(
        (pictures[1]["width"], pictures[1]["height"]), abs=1
    )


def test_the_ghost_is_at_the_same_move_or_in_its_own_tempo(show: Callable[..., Visit], full: dict[str, Any]) -> None:
    visit = show(device_scale_factor=2)
    t = frame_at(full, 1.5)["t"]
    visit.seek(t)
    begins = full["ghost"]["frames"][0]["climber_t"]

    def place(at: float) -> list[float]:
        landmarks = frame_at(full, at)["landmarks"]
        bones = np.array([landmarks[i][:2] for i in (*range(11, 17), *range(23, 33))])
        return [float(bones[:, 0].min()) + GHOST_SHIFT, float(bones[:, 1].max())]

    same_move = ink(show_only(visit, ghost="Only Ghost"))
    assert [same_move[0], same_move[3]] == pytest.approx(place(t), abs=0.035)
    visit.page.get_by_label("In its own tempo").check()
    own_tempo = ink(overlay_pixels(visit.page))
    ahead = begins + (t - begins) * GHOST_SPEED
    assert [own_tempo[0], own_tempo[3]] == pytest.approx(place(ahead), abs=0.035)


def test_the_certificate_says_in_words_and_numbers_what_was_checked(show: Callable[..., Visit]) -> None:
    visit = show()
    page = visit.page
    ghost = page.locator("#ghost")
    expect(ghost.locator(".verdict")).to_contain_text("Not every check passed")
    rows = {row.locator("th").inner_text(): row.inner_text() for row in ghost.locator("tbody tr").all()}
    assert "0.31 cm" in rows["Hands and feet do not slip"]
    assert "at most 1 cm" in rows["Hands and feet do not slip"]
    assert re.search(r"\bpassed", rows["Bones keep their length"])
    assert "not passed" in rows["The contacts hold the body"]
    expect(ghost.locator(".changes")).to_contain_text("−62%")
    expect(ghost.locator(".foot-order")).to_contain_text("Feet that go earlier: effort −9%")
    expect(ghost.locator(".foot-order")).to_contain_text("The Ghost moves the left foot before the right hand")
    ghost.get_by_role("button", name="at 1.1 s").click()
    visit.until("() => Math.abs(Number(document.querySelector('.overlay').dataset.t) - 1.1) < 0.04")
    ghost.get_by_role("button", name="at 1.5 s").click()
    visit.until("() => Math.abs(Number(document.querySelector('.overlay').dataset.t) - 1.5) < 0.04")


def test_a_cue_jumps_to_its_moment_and_points_at_the_place(show: Callable[..., Visit]) -> None:
    visit = show()
    page = visit.page
    page.get_by_label("Language").select_option("de")
    cue = page.locator(".cue").first
    # The page has no words for this key: the result's own stay.
    expect(cue).to_contain_text("At 0:01 bring the hips 12 cm to the right")
    expect(cue).to_contain_text("Last auf den Händen −18 %")
    before = has_color(show_in_german(visit), (250, 204, 21))
    cue.click()
    visit.until(f"() => Math.abs(Number(document.querySelector('.overlay').dataset.t) - {CUE_AT}) < 0.04")
    expect(cue).to_have_attribute("aria-pressed", "true")
    assert not before
    assert has_color(overlay_pixels(page), (250, 204, 21))


def show_in_german(visit: Visit) -> npt.NDArray[np.int64]:
    for name in ("Schwerpunkt", "Griffe", "Kontakte"):
        visit.page.locator(".toggles").get_by_label(name, exact=True).uncheck()
    return overlay_pixels(visit.page)


def test_the_contact_timeline_follows_and_jumps_by_mouse_and_keyboard(
    show: Callable[..., Visit], full: dict[str, Any]
) -> None:
    visit = show()
    page = visit.page
    lanes = page.locator("#contacts")
    assert lanes.locator(".contact").count() == len(full["contacts"])
    assert lanes.locator(".contact.free").count() == 1
    hands = sorted((c for c in full["contacts"] if c["limb"] == "left_hand"), key=lambda c: c["start"])
    first = lanes.locator('[data-limb="left_hand"] .contact').first
    expect(first).to_have_attribute(
        "aria-label", re.compile(r"Left hand: hold \d+.*from [\d.]+ to [\d.]+ s, \d+% sure")
    )

    last = lanes.locator('[data-limb="left_hand"] .contact').last
    last.click()
    start = hands[-1]["start"]
    visit.until(f"() => Math.abs(Number(document.querySelector('.overlay').dataset.t) - {start}) < 0.04")
    expect(last).to_have_class(re.compile("now"))

    last.focus()
    page.keyboard.press("ArrowDown")
    focused = "document.activeElement.closest('.lane')?.dataset.limb"
    assert page.evaluate(focused) == "right_hand"
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    right = min(c["start"] for c in full["contacts"] if c["limb"] == "right_hand")
    visit.until(f"() => Math.abs(Number(document.querySelector('.overlay').dataset.t) - {right}) < 0.04")

    track = lanes.locator('[data-limb="right_foot"] .track')
    box, head = track.bounding_box(), lanes.locator(".playhead")
    assert box
    page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + 1)
    duration = full["video"]["duration_s"]
    visit.until(f"() => Math.abs(Number(document.querySelector('.overlay').dataset.t) - {duration / 2}) < 0.04")
    place = head.bounding_box()
    assert place
    assert place["x"] == pytest.approx(box["x"] + box["width"] / 2, abs=box["width"] * 0.02)


def test_numbers_carry_their_uncertainty_their_basis_or_their_reason(show: Callable[..., Visit]) -> None:
    page = show().page
    numbers = page.locator("#numbers")
    expect(numbers).to_contain_text("61.4 ± 4.2 cm")
    expect(numbers).to_contain_text("From: contacts, the wall.")
    expect(numbers).to_contain_text("The feet are hidden too often.")
    page.get_by_label("Language").select_option("fr")
    expect(numbers).to_contain_text("La plus longue distance sur le mur")
    expect(numbers).to_contain_text("61,4")


def test_the_curves_of_hips_hands_and_joints_follow_the_playhead(
    show: Callable[..., Visit], full: dict[str, Any]
) -> None:
    visit = show()
    frame = frame_at(full, 2.0)
    visit.seek(frame["t"])
    charts = visit.page.locator("#curves .chart")
    readings = {
        chart.locator("h3 span").inner_text(): chart.locator("output").all_inner_texts() for chart in charts.all()
    }
    assert readings["Load on the hands"] == ["30", "20"]
    assert readings["Both hands together"] == ["50", "35"]
    assert readings["Elbows"] == [f"{frame['angles'][name]:.0f}" for name in ("left_elbow", "right_elbow")]
    assert float(readings["Speed of the hips"][0]) >= 0


def test_without_a_ghost_its_reason_stands_there_and_free_users_meet_the_gate(
    visitor: Callable[..., Visit], climbed: Climbed, full: dict[str, Any]
) -> None:
    visit = visitor()
    page = visit.page
    reason = "The climb is too short."
    serve(visit, climbed, full | {"ghost": None, "absent": {"ghost": reason}})
    visit.show(climbed.phone, climbed.job_id)
    ghost = page.locator("#ghost")
    expect(ghost).to_contain_text(reason)
    expect(ghost).to_contain_text("The Ghost is part of Pro")
    ghost.get_by_role("button", name="Analyse again with the Ghost").click()
    expect(ghost.get_by_role("alert")).to_contain_text("The Ghost Climber is part of Pro")
    visit.picture("ghost-gate")
    page.get_by_label("Language").select_option("de")
    expect(ghost.locator(".reason[lang=de]")).to_have_text("Die Kletterei ist zu kurz.")


def test_the_gate_before_an_upload_says_what_pro_gives_and_lets_the_climber_go_on(
    visitor: Callable[..., Visit], climbed: Climbed, climb: Path
) -> None:
    visit = visitor()
    page = visit.page
    visit.open()
    visit.sign_in(climbed.phone)
    sent: list[dict[str, Any]] = []

    def note(route: Route) -> None:
        sent.append(json.loads(route.request.post_data or ""))
        route.continue_()

    page.route("**/analysis/request-upload", note)
    page.locator("#options summary").click()
    page.get_by_label("Your height in cm").fill("176")
    expect(page.locator(".pro")).to_be_visible()
    page.get_by_label("With the Ghost").check()
    page.locator("#video").set_input_files(climb)
    gate = page.locator("#gate")
    expect(gate).to_contain_text("a certificate that a body can really do it")
    visit.check_accessibility("gate")
    gate.get_by_role("button").click()
    page.wait_for_selector("#progress, .failed")
    options = [body["start"]["options"] for body in sent]
    assert options == [{"climber_height_cm": 176, "generate_ghost": True}, {"climber_height_cm": 176}]


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("fr", "light"), ("de", "dark")])
def test_all_that_is_shown_of_a_complete_analysis_is_accessible_on_a_small_phone(
    show: Callable[..., Visit], full: dict[str, Any], language: str, scheme: str
) -> None:
    visit = show(viewport=SMALL_PHONE, color_scheme=scheme, has_touch=True, device_scale_factor=2)
    page = visit.page
    visit.seek(frame_at(full, 1.0)["t"])
    page.get_by_role("combobox").first.select_option(language)
    page.locator(".ghost-modes label").nth(2).click()
    for panel in ("#share", "#compare", ".more"):
        page.locator(panel).locator("summary").click()
    visit.check_accessibility("complete analysis")
    visit.picture(f"complete-{language}-{scheme}")
    page.locator("#hold-editing button").click()
    page.locator("#chosen-hold").select_option(index=1)
    visit.check_accessibility("correcting holds")
    visit.picture(f"correcting-{language}-{scheme}")
