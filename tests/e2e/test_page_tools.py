"""What a user does with a finished analysis: set its holds right, share it, compare it with another."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.e2e.conftest import Stack
from tests.e2e.full_analysis import full_analysis
from tests.e2e.phone import Phone
from tests.e2e.visit import PATIENCE_MS, SMALL_PHONE, Climbed, Visit, overlay_pixels


@pytest.fixture(scope="module")
def full(climbed: Climbed) -> dict[str, Any]:
    return full_analysis(climbed.verbose, climbed.truth)


class Corrections:
    """The analysis as the API would answer while its holds are corrected: computed anew once, then another revision."""

    def __init__(self, visit: Visit, climbed: Climbed, full: dict[str, Any]) -> None:
        self.sent: list[dict[str, Any]] = []
        self.result = full
        self.asked = 0
        visit.page.route(re.compile(rf"/analysis/{climbed.job_id}$"), self._answer)
        visit.page.route(re.compile(rf"/analysis/{climbed.job_id}/holds$"), self._correct)
        self.job_id = climbed.job_id

    def _answer(self, route: Route) -> None:
        answer = route.fetch().json()
        answer["result"] = self.result
        if self.sent:
            self.asked += 1
            if self.asked == 1:
                answer |= {"status": "processing", "result": None, "progress": {"stage": "contacts", "fraction": 0.5}}
            else:
                answer["result"] = self.result | {"revision": 1, "holds": self.result["holds"][:5]}
        route.fulfill(json=answer)

    def _correct(self, route: Route) -> None:
        self.sent += json.loads(route.request.post_data or "")["changes"]
        route.fulfill(status=202, json={"job_id": self.job_id, "status": "processing", "revision": 1})


def drag(visit: Visit, start: tuple[float, float], end: tuple[float, float]) -> None:
    visit.page.mouse.move(*start)
    visit.page.mouse.down()
    visit.page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    visit.page.mouse.move(*end)
    visit.page.mouse.up()


def middle(box: Locator) -> tuple[float, float]:
    place = box.bounding_box()
    assert place
    return place["x"] + place["width"] / 2, place["y"] + place["height"] / 2


def test_holds_are_added_moved_named_and_deleted_and_the_analysis_is_computed_anew(
    visitor: Callable[..., Visit], climbed: Climbed, full: dict[str, Any]
) -> None:
    holds = sorted(full["holds"], key=lambda hold: -abs(hold["box"][2] - hold["box"][0]))
    inside = [hold for hold in holds if hold["box"][0] > 0.1 and hold["box"][2] < 0.9 and hold["box"][1] > 0.1][:3]
    moved, named, deleted = inside
    visit = visitor()
    corrections = Corrections(visit, climbed, full | {"holds": inside})
    visit.show(climbed.phone, climbed.job_id)
    page = visit.page
    visit.seek(full["poses"]["frames"][30]["t"])
    page.get_by_role("button", name="Correct the holds").click()
    layer = page.locator(".hold-layer").bounding_box()
    assert layer
    assert page.locator(".hold-box").count() == 3

    def box(hold: dict[str, Any]) -> Locator:
        return page.locator(f'.hold-box[data-key="hold {hold["id"]}"]')

    start = middle(box(moved))
    drag(visit, start, (start[0] + 0.1 * layer["width"], start[1]))
    box(deleted).focus()
    page.keyboard.press("Delete")
    page.get_by_label("Hold", exact=True).select_option(f"hold {named['id']}")
    page.get_by_label("Type of the hold").select_option("pocket")
    corner = layer["x"] + 0.05 * layer["width"], layer["y"] + 0.92 * layer["height"]
    drag(visit, corner, (corner[0] + 0.1 * layer["width"], corner[1] + 0.05 * layer["height"]))
    expect(page.locator("#edit-save")).to_have_text("Save and compute anew (4)")
    page.locator("#edit-undo").click()
    expect(page.locator("#edit-save")).to_have_text("Save and compute anew (3)")
    page.get_by_role("button", name="Add a hold").click()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowDown")
    visit.picture("correcting")
    page.locator("#edit-save").click()

    expect(page.locator("#stage")).to_contain_text("50%", timeout=PATIENCE_MS)
    expect(page.locator(".player")).to_be_visible()
    expect(page.locator("#progress")).to_be_hidden(timeout=PATIENCE_MS)
    page.locator(".about summary").last.click()
    expect(page.locator(".about").last).to_contain_text("Corrections of the holds: 1")
    visit.wait_for_video()

    by_action = {change["action"]: change for change in corrections.sent}
    assert len(corrections.sent) == len(by_action) == 4
    x0, y0, x1, y1 = moved["box"]
    assert by_action["move"]["hold_id"] == moved["id"]
    assert by_action["move"]["box"] == pytest.approx([x0 + 0.1, y0, x1 + 0.1, y1], abs=0.006)
    assert by_action["retype"] == {"action": "retype", "hold_id": named["id"], "type": "pocket"}
    assert by_action["delete"] == {"action": "delete", "hold_id": deleted["id"]}
    x0, y0, x1, y1 = by_action["add"]["box"]
    assert (x0 + x1) / 2 == pytest.approx(0.496, abs=0.002)
    assert y1 - y0 > x1 - x0 - 0.03


@pytest.fixture
def analysed(phone: Phone, climb: Path) -> tuple[Phone, dict[str, Any]]:
    """An account with an analysis of its own, and what that found."""
    job = phone.wait(phone.analyse(climb))
    assert job["status"] == "completed", job["error"]
    return phone, phone.job(job["id"], "verbose")


def standing_alone(holds: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Holds well inside the picture whose middle lies in no other's box, the largest first."""

    def inside(point: list[float], box: list[float]) -> bool:
        return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]

    alone = [
        hold
        for hold in holds
        if inside(hold["center"], [0.1, 0.1, 0.8, 0.9])
        and not any(inside(hold["center"], other["box"]) for other in holds if other is not hold)
    ]
    return sorted(alone, key=lambda hold: hold["box"][0] - hold["box"][2])


def test_holds_that_are_corrected_in_the_page_are_where_the_new_analysis_has_them(
    visitor: Callable[..., Visit], analysed: tuple[Phone, dict[str, Any]]
) -> None:
    phone, job = analysed
    moved, deleted = standing_alone(job["result"]["holds"])[:2]
    visit = visitor()
    page = visit.page
    visit.show(phone, job["id"])
    page.get_by_role("button", name="Correct the holds").click()

    def box(hold: dict[str, Any]) -> Locator:
        return page.locator(f'.hold-box[data-key="hold {hold["id"]}"]')

    def shown(hold: dict[str, Any]) -> tuple[float, float]:
        """The middle of its box, from 0 to 1 of the picture."""
        layer = page.locator(".hold-layer").bounding_box()
        assert layer
        x, y = middle(box(hold))
        return (x - layer["x"]) / layer["width"], (y - layer["y"]) / layer["height"]

    before = shown(moved)
    layer = page.locator(".hold-layer").bounding_box()
    assert layer
    start = middle(box(moved))
    drag(visit, start, (start[0] + 0.08 * layer["width"], start[1]))
    box(deleted).focus()
    page.keyboard.press("Delete")
    expect(page.locator("#edit-save")).to_have_text("Save and compute anew (2)")
    with page.expect_response(re.compile("/holds$")) as answer:
        page.locator("#edit-save").click()
    assert (answer.value.status, answer.value.json()["revision"]) == (202, 1)

    about = page.locator(".about").last
    expect(about).to_contain_text("Corrections of the holds: 1", timeout=PATIENCE_MS)
    expect(page.locator("#progress")).to_be_hidden()
    visit.wait_for_video()
    page.get_by_role("button", name="Correct the holds").click()
    expect(page.locator(".hold-box")).to_have_count(len(job["result"]["holds"]) - 1)
    assert box(deleted).count() == 0
    assert shown(moved) == pytest.approx((before[0] + 0.08, before[1]), abs=0.01)
    visit.picture("corrected")

    after = phone.job(job["id"], "verbose")
    assert (after["revision"], after["result"]["revision"]) == (1, 1)
    holds = {hold["id"]: hold for hold in after["result"]["holds"]}
    assert holds.keys() == {hold["id"] for hold in job["result"]["holds"]} - {deleted["id"]}
    assert (holds[moved["id"]]["by"], holds[moved["id"]]["center"][0]) == (
        "user",
        pytest.approx(moved["center"][0] + 0.08, abs=0.01),
    )
    assert deleted["id"] not in {contact["hold_id"] for contact in after["result"]["contacts"]}


def test_a_correction_that_is_refused_keeps_what_was_drawn(
    visitor: Callable[..., Visit], climbed: Climbed, full: dict[str, Any]
) -> None:
    visit = visitor()
    Corrections(visit, climbed, full)
    page = visit.page
    refusal = {"type": "invalid-correction", "title": "No", "detail": "Change 1: there is no hold 3."}
    page.route(re.compile("/holds$"), lambda route: route.fulfill(status=422, json=refusal))
    visit.show(climbed.phone, climbed.job_id)
    page.get_by_role("button", name="Correct the holds").click()
    page.get_by_role("button", name="Add a hold").click()
    page.locator("#edit-save").click()
    expect(page.locator(".hold-tools [role=alert]")).to_have_text("Change 1: there is no hold 3.")
    expect(page.locator("#edit-save")).to_be_enabled()
    page.keyboard.press("Escape")
    expect(page.locator(".hold-layer")).to_have_count(0)


def test_a_shared_analysis_opens_without_an_account_and_offers_nothing_to_change(
    visitor: Callable[..., Visit], climbed: Climbed, full: dict[str, Any]
) -> None:
    visit = visitor(viewport=SMALL_PHONE, has_touch=True, device_scale_factor=2)
    page = visit.page
    shared = {"id": climbed.job_id, "status": "completed", "result": full, "metrics": full["metrics"]}
    asked: list[dict[str, str]] = []

    def answer(route: Route) -> None:
        asked.append(route.request.headers)
        route.fulfill(json=shared)

    page.route("**/api/v1/shared/a-token_of.links", answer)
    visit.open("#/shared/a-token_of.links")
    expect(page.locator(".player")).to_be_visible()
    expect(page.locator(".placeholder")).to_contain_text("Choose the video")
    assert (overlay_pixels(page)[..., 3] > 0).any()
    assert "authorization" not in asked[0]
    for tool in ("#share", "#compare", "#hold-editing"):
        assert page.locator(tool).count() == 0
    visit.check_accessibility("shared")
    visit.picture("shared")


def test_a_link_that_does_not_work_says_so(visitor: Callable[..., Visit]) -> None:
    visit = visitor()
    visit.open("#/shared/nothing")
    expect(visit.page.get_by_role("alert")).to_contain_text("This link does not work")


@pytest.fixture
def pro(stack: Stack, climbed: Climbed) -> Iterator[Climbed]:
    """The climber with Pro, for one test."""
    change = "UPDATE users SET subscription_tier = %s WHERE id = %s RETURNING id"
    assert stack.rows(change, "pro", climbed.phone.user["id"])
    yield climbed
    stack.rows(change, "free", climbed.phone.user["id"])


def test_a_pro_user_makes_a_link_that_opens_for_others_until_it_is_revoked(
    visitor: Callable[..., Visit], pro: Climbed
) -> None:
    visit = visitor()
    page = visit.page
    visit.show(pro.phone, pro.job_id)
    page.locator("#share summary").click()
    page.get_by_label("Valid for").select_option("7")
    page.get_by_role("button", name="Make a link").click()
    shares = page.locator(".shares li")
    expect(shares).to_have_count(1)
    url = page.get_by_label("Link to the analysis").input_value()
    visit.check_accessibility("share")

    guest = visitor(viewport=SMALL_PHONE)
    guest.page.goto(url)
    expect(guest.page.locator(".player")).to_be_visible()
    expect(guest.page.locator(".poster")).to_be_visible()
    assert (overlay_pixels(guest.page)[..., 3] > 0).any()

    page.reload()
    page.locator("#share summary").click()
    shares.first.get_by_role("button", name="Revoke").click()
    expect(shares).to_have_count(0)
    guest.page.reload()
    expect(guest.page.get_by_role("alert")).to_contain_text("This link does not work")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_two_analyses_are_compared_and_real_differences_are_marked(
    visitor: Callable[..., Visit], climbed: Climbed, scheme: str
) -> None:
    visit = visitor(viewport=SMALL_PHONE, color_scheme=scheme, device_scale_factor=2)
    page = visit.page
    other = "00000000-0000-4000-8000-000000000000"
    rows = (
        ("max_reach_cm", "cm", [61.4, 70.2], 8.8, 5.1, True),
        ("immobility", "ratio", [0.5, 0.52], 0.02, 0.1, False),
        ("avg_tension", "ratio", [None, 0.3], None, None, None),
    )
    members = ("unit", "values", "change", "uncertainty", "meaningful")
    metrics = {name: dict(zip(members, row, strict=True)) for name, *row in rows}
    comparison = {"analyses": [climbed.job_id, other], "same_wall": True, "metrics": metrics}
    page.route("**/compare/*", lambda route: route.fulfill(json=comparison))
    visit.open(f"#/compare/{climbed.job_id}/{other}")
    visit.sign_in(climbed.phone)
    shown = page.locator(".comparison tbody tr")
    expect(shown).to_have_count(3)
    expect(shown.nth(0)).to_contain_text("+8.8 ± 5.1")
    expect(shown.nth(0)).to_contain_text("a real difference")
    expect(shown.nth(1)).to_contain_text("within the uncertainty")
    expect(shown.nth(2)).to_contain_text("cannot be told")
    visit.check_accessibility("compare")
    visit.picture(f"compare-{scheme}")
