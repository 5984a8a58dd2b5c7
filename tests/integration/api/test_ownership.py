"""What is somebody else's cannot be told from what does not exist."""

from typing import Any
from uuid import uuid4

import pytest
from ascension_api.app import create_app
from fastapi.testclient import TestClient

from tests.integration.api.conftest import NewUser, Rows
from tests.integration.api.test_path import complete

pytestmark = pytest.mark.postgres

# What a route that takes a body needs to get as far as looking for what the path names.
BODIES: dict[str, Any] = {"/analysis/{job_id}/holds": {"changes": [{"action": "delete", "hold_id": 1}]}}
PUBLIC = {"/health", "/auth/register", "/auth/login", "/auth/refresh", "/auth/logout", "/shared/{token}"}
PUBLIC |= {"/shared/{token}/thumbnail"}


def operations() -> list[tuple[str, str]]:
    """Every method and path that the application has."""
    paths = create_app().openapi()["paths"]
    return [(method.upper(), path) for path, methods in paths.items() for method in methods]


# With a query parameter that changes where the answer comes from.
NAMED = [(method, path) for method, path in operations() if "_id}" in path] + [
    ("GET", "/analysis/{job_id}?format=verbose")
]


@pytest.fixture
def theirs(new_user: NewUser, rows: Rows, bucket: Any) -> dict[str, str]:
    """What somebody has, by the names that paths give it."""
    owner = new_user("enterprise")
    job_id = complete(owner, rows, bucket)
    return {
        "job_id": job_id,
        "other": complete(owner, rows, bucket),
        "video_id": owner.get(f"/analysis/{job_id}").json()["video_id"],
        "share_id": owner.post(f"/analysis/{job_id}/shares", {}).json()["id"],
        "key_id": owner.post("/api-keys", {"name": "server"}).json()["id"],
    }


@pytest.mark.parametrize(("method", "path"), NAMED)
def test_somebody_elses_is_as_good_as_none(
    new_user: NewUser, theirs: dict[str, str], rows: Rows, method: str, path: str
) -> None:
    stranger = new_user("enterprise")
    nobodys = {name: str(uuid4()) for name in theirs}
    before = everything(rows)
    answers = [stranger.call(method, path.format(**ids), json=BODIES.get(path)) for ids in (theirs, nobodys)]
    bodies = [{**answer.json(), "request_id": ""} for answer in answers]
    assert answers[0].status_code == answers[1].status_code == 404
    assert bodies[0] == bodies[1]
    assert answers[0].headers.keys() == answers[1].headers.keys()
    assert everything(rows) == before


def everything(rows: Rows) -> dict[str, Any]:
    """All that anybody has, as it is stored."""
    tables = ("videos", "analyses", "corrections", "shares", "api_keys")
    return {table: rows(f"SELECT md5(string_agg(t::text, '|' ORDER BY id)) FROM {table} t") for table in tables}


@pytest.mark.parametrize("named", ["job_id", "other"])
def test_one_s_own_cannot_be_compared_with_somebody_else_s(
    new_user: NewUser, theirs: dict[str, str], rows: Rows, bucket: Any, named: str
) -> None:
    stranger = new_user()
    mine = complete(stranger, rows, bucket)
    ids = {"job_id": mine, "other": mine} | {named: theirs[named]}
    answer = stranger.get("/analysis/{job_id}/compare/{other}".format(**ids))
    assert (answer.status_code, answer.json()["type"]) == (404, "analysis-not-found")


def test_starting_somebody_elses_video_is_as_good_as_none(new_user: NewUser) -> None:
    owner, stranger = new_user(), new_user()
    theirs, nobodys = owner.announce().json()["video_id"], str(uuid4())
    answers = [stranger.start(video_id) for video_id in (theirs, nobodys)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert {**answers[0].json(), "request_id": ""} == {**answers[1].json(), "request_id": ""}


def test_lists_show_only_what_is_ones_own(new_user: NewUser) -> None:
    owner, stranger = new_user(), new_user()
    owner.announce(start={})
    assert stranger.get("/videos").json() == {"items": [], "next_cursor": None}
    assert stranger.get("/analysis").json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize(("method", "path"), [(m, p) for m, p in operations() if p not in PUBLIC])
def test_every_route_but_the_public_ones_asks_who_one_is(client: TestClient, method: str, path: str) -> None:
    parameters = dict.fromkeys(("job_id", "other", "video_id", "share_id", "key_id"), uuid4())
    assert client.request(method, path.format(**parameters, kind="holds")).status_code == 401
