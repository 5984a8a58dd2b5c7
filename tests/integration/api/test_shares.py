"""Links that show one analysis to whoever has them."""

import gzip
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.api.conftest import NewUser, Person, Rows
from tests.integration.api.test_path import complete
from tests.integration.api.test_sessions import problem

pytestmark = pytest.mark.postgres


@pytest.fixture
def job_id(pro: Person, rows: Rows, bucket: Any) -> str:
    """A completed analysis of a user on Pro."""
    return complete(pro, rows, bucket, compact={"form": "compact"}, verbose={"form": "verbose"})


def share(person: Person, job_id: str, **body: Any) -> dict[str, Any]:
    made = person.post(f"/analysis/{job_id}/shares", body)
    assert made.status_code == 201, made.text
    answer: dict[str, Any] = made.json()
    return answer


def follow(person: Person, token: str, query: str = "", **headers: str) -> Any:
    """Without sign-in."""
    return person.client.get(f"/shared/{token}{query}", headers=headers)


def test_a_link_is_shown_once_and_its_token_is_stored_hashed(pro: Person, job_id: str, rows: Rows) -> None:
    made = share(pro, job_id, expires_in_days=7)
    assert made["url"] == f"http://127.0.0.1:4566/app/index.html#/shared/{made['token']}"
    assert len(made["token"]) >= 43, "256 bits"
    listed = pro.get(f"/analysis/{job_id}/shares")
    assert listed.json() == {
        "items": [{name: made[name] for name in ("id", "created_at", "expires_at")}],
        "next_cursor": None,
    }
    (stored,) = rows("SELECT *, expires_at - created_at AS lives FROM shares WHERE id = %s", made["id"])
    assert made["token"] not in str(stored)
    assert stored["lives"].days == 7


def test_without_a_body_a_link_holds_for_thirty_days(pro: Person, job_id: str, rows: Rows) -> None:
    made = pro.call("POST", f"/analysis/{job_id}/shares").json()
    (stored,) = rows("SELECT expires_at - created_at AS lives FROM shares WHERE id = %s", made["id"])
    assert stored["lives"].days == 30


def test_whoever_has_the_link_sees_the_analysis_and_nothing_that_is_only_the_owner_s(pro: Person, job_id: str) -> None:
    token = share(pro, job_id)["token"]
    own = pro.get(f"/analysis/{job_id}").json()
    shown = follow(pro, token)
    assert shown.status_code == 200
    body = shown.json()
    assert body.pop("thumbnail_url") == f"http://127.0.0.1:4566/api/v1/shared/{token}/thumbnail"
    assert body == {name: value for name, value in own.items() if name not in ("video_id", "options")}
    assert follow(pro, token, "?format=verbose").json()["result"] == {"form": "verbose"}
    problem(follow(pro, token, "?format=xml"), 422, "invalid-request")


def test_what_a_link_shows_is_compressed_and_need_not_be_sent_twice(pro: Person, job_id: str) -> None:
    token = share(pro, job_id)["token"]
    first = follow(pro, token, **{"Accept-Encoding": "gzip"})
    assert first.headers["content-encoding"] == "gzip"
    assert first.headers["cache-control"] == "private, no-cache", "it may be taken back"
    again = follow(pro, token, **{"Accept-Encoding": "gzip", "If-None-Match": first.headers["etag"]})
    assert again.status_code == 304


def test_the_picture_is_where_the_answer_says(pro: Person, job_id: str) -> None:
    picture = follow(pro, share(pro, job_id)["token"] + "/thumbnail")
    assert picture.status_code == 303
    assert f"/results/{pro.id}/{job_id}/thumbnail.jpg?" in picture.headers["location"]


def test_an_unfinished_analysis_is_shown_as_it_is(pro: Person) -> None:
    job_id = pro.announce(start={}).json()["job_id"]
    token = share(pro, job_id)["token"]
    body = follow(pro, token).json()
    assert (body["status"], body["result"], body["thumbnail_url"]) == ("pending", None, None)
    problem(follow(pro, token + "/thumbnail"), 404, "share-not-found")


def revoked(pro: Person, job_id: str, made: dict[str, Any], rows: Rows) -> None:
    assert pro.delete(f"/analysis/{job_id}/shares/{made['id']}").status_code == 204
    problem(pro.delete(f"/analysis/{job_id}/shares/{made['id']}"), 404, "share-not-found")
    assert pro.get(f"/analysis/{job_id}/shares").json()["items"] == []


def expired(pro: Person, job_id: str, made: dict[str, Any], rows: Rows) -> None:
    rows("UPDATE shares SET expires_at = now() WHERE id = %s", made["id"])
    assert pro.get(f"/analysis/{job_id}/shares").json()["items"] == []


def video_deleted(pro: Person, job_id: str, made: dict[str, Any], rows: Rows) -> None:
    video_id = pro.get(f"/analysis/{job_id}").json()["video_id"]
    assert pro.delete(f"/videos/{video_id}").status_code == 204


def account_deleted(pro: Person, job_id: str, made: dict[str, Any], rows: Rows) -> None:
    assert pro.delete("/me").status_code == 204


@pytest.mark.parametrize("end", [revoked, expired, video_deleted, account_deleted])
def test_a_link_that_has_ended_is_as_good_as_one_that_never_was(
    pro: Person, job_id: str, rows: Rows, end: Callable[..., None]
) -> None:
    made = share(pro, job_id)
    known = follow(pro, made["token"]).headers["etag"]
    end(pro, job_id, made, rows)
    for path in ("", "/thumbnail"):
        ended, never = (follow(pro, token + path, **{"If-None-Match": known}) for token in (made["token"], "A" * 43))
        problem(ended, 404, "share-not-found")
        assert {**ended.json(), "request_id": ""} == {**never.json(), "request_id": ""}
        assert ended.headers.keys() == never.headers.keys()


@pytest.mark.parametrize("token", ["x", "'; DROP TABLE shares --", "%00", "é", "A" * 2000, "%F0%9F%A7%97"])
def test_what_is_no_token_shows_nothing(pro: Person, token: str) -> None:
    problem(follow(pro, token), 404, "share-not-found")


def test_links_are_for_pro_for_one_s_own_and_for_a_sensible_time(
    user: Person, pro: Person, job_id: str, rows: Rows, bucket: Any
) -> None:
    problem(user.post(f"/analysis/{complete(user, rows, bucket)}/shares", {}), 403, "sharing-needs-pro")
    problem(pro.post(f"/analysis/{uuid4()}/shares", {}), 404, "analysis-not-found")
    for days in (0, 91, 1.5, "7", True):
        problem(pro.post(f"/analysis/{job_id}/shares", {"expires_in_days": days}), 422, "invalid-request")


def test_there_are_at_most_twenty_links_to_an_analysis(pro: Person, job_id: str) -> None:
    links = [share(pro, job_id) for _ in range(20)]
    problem(pro.post(f"/analysis/{job_id}/shares", {}), 409, "too-many-shares")
    pro.delete(f"/analysis/{job_id}/shares/{links[0]['id']}")
    share(pro, job_id)


def test_nobody_revokes_another_s_link_or_through_another_analysis(
    pro: Person, job_id: str, new_user: NewUser, rows: Rows, bucket: Any
) -> None:
    made, other = share(pro, job_id), complete(pro, rows, bucket)
    problem(new_user("pro").delete(f"/analysis/{job_id}/shares/{made['id']}"), 404, "share-not-found")
    problem(pro.delete(f"/analysis/{other}/shares/{made['id']}"), 404, "share-not-found")
    assert follow(pro, made["token"]).status_code == 200


def test_links_cannot_be_tried_out_in_bulk(pro: Person, rows: Rows) -> None:
    first = follow(pro, "A" * 43)
    assert first.headers["ratelimit-limit"] == "120"
    # What 120 of them at once would have come to.
    rows("UPDATE rate_limits SET drained_at = now() + interval '1 minute' WHERE bucket LIKE 'shared-address:%%'")
    for path in ("", "/thumbnail"):
        refused = follow(pro, "B" * 43 + path)
        problem(refused, 429, "too-many-requests")
        assert int(refused.headers["retry-after"]) >= 1


def test_a_link_shows_each_revision(pro: Person, job_id: str, rows: Rows) -> None:
    token = share(pro, job_id)["token"]
    before = follow(pro, token).headers["etag"]
    stored = gzip.compress(json.dumps({"form": "corrected"}).encode())
    rows("UPDATE analyses SET revision = 1, result = %s, result_etag = 'b' WHERE id = %s", stored, job_id)
    after = follow(pro, token, **{"If-None-Match": before})
    assert (after.json()["revision"], after.json()["result"]) == (1, {"form": "corrected"})
