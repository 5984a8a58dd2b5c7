"""What is somebody else's cannot be told from what does not exist."""

from uuid import uuid4

import pytest

from tests.integration.api.conftest import NewUser, Person

pytestmark = pytest.mark.postgres

ROUTES = [
    ("GET", "/analysis/{job_id}"),
    ("GET", "/analysis/{job_id}?format=verbose"),
    ("GET", "/videos/{video_id}"),
    ("POST", "/videos/{video_id}/save"),
    ("DELETE", "/videos/{video_id}/save"),
    ("DELETE", "/videos/{video_id}"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_somebody_elses_is_as_good_as_none(new_user: NewUser, method: str, path: str) -> None:
    owner, stranger = new_user("pro"), new_user("pro")
    theirs = owner.announce(start={}).json()
    nobodys = {"video_id": str(uuid4()), "job_id": str(uuid4())}
    answers = [stranger.call(method, path.format(**ids)) for ids in (theirs, nobodys)]
    bodies = [{**answer.json(), "request_id": ""} for answer in answers]
    assert answers[0].status_code == answers[1].status_code == 404
    assert bodies[0] == bodies[1]
    assert answers[0].headers.keys() == answers[1].headers.keys()
    assert owner.get(f"/videos/{theirs['video_id']}").status_code == 200


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


def test_every_route_but_the_public_ones_asks_who_one_is(user: Person) -> None:
    paths = user.client.get("/openapi.json").json()["paths"]
    public = {"/health", "/auth/register", "/auth/login", "/auth/refresh", "/auth/logout"}
    asked = 0
    for path, methods in paths.items():
        for method in methods:
            if path not in public:
                some_id = path.format(job_id=uuid4(), video_id=uuid4(), key_id=uuid4(), kind="holds")
                assert user.client.request(method, some_id).status_code == 401, (method, path)
                asked += 1
    assert asked >= 12
