"""Announcing videos: what is refused, and what the presigned address binds."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.integration.api.conftest import Person
from tests.integration.api.test_sessions import problem

pytestmark = pytest.mark.postgres


def test_the_signature_binds_key_type_and_length(user: Person) -> None:
    answer = user.announce(content_type="video/quicktime", file_size_bytes=4321).json()
    upload = answer["upload"]
    query = parse_qs(urlsplit(upload["url"]).query)
    assert upload["method"] == "PUT"
    assert upload["expires_in"] == 900
    assert upload["headers"] == {"Content-Type": "video/quicktime", "Content-Length": "4321"}
    assert query["X-Amz-SignedHeaders"] == ["content-length;content-type;host"]
    assert query["X-Amz-Expires"] == ["900"]
    video_id = answer["video_id"]
    assert urlsplit(upload["url"]).path.endswith(f"/uploads/{user.id}/{video_id}/{video_id}.mov")


def test_an_empty_file_may_be_announced_for_only_the_analysis_says_what_is_wrong_with_it(user: Person) -> None:
    assert user.announce(file_size_bytes=0).json()["upload"]["headers"]["Content-Length"] == "0"


@pytest.mark.parametrize(
    "content_type",
    ["video/mp4", "VIDEO/MP4; codecs=avc1", "video/quicktime", "video/x-m4v", "video/webm", "video/hevc", "video/3gpp"],
)
def test_what_phones_record_is_taken(user: Person, content_type: str) -> None:
    assert user.announce(content_type=content_type).status_code == 201


@pytest.mark.parametrize("content_type", ["text/html", "image/jpeg", "application/octet-stream", "video", "video/x"])
def test_other_kinds_of_files_are_refused(user: Person, content_type: str) -> None:
    problem(user.announce(content_type=content_type), 415, "unsupported-video-type")


def test_more_than_500_mb_are_refused(user: Person) -> None:
    assert user.announce(file_size_bytes=500_000_000).status_code == 201
    problem(user.announce(file_size_bytes=600_000_000), 422, "video-too-large")


def test_more_than_five_minutes_are_refused(user: Person) -> None:
    assert user.announce(duration_seconds=300).status_code == 201
    problem(user.announce(duration_seconds=300.5), 422, "video-too-long")


@pytest.mark.parametrize(
    "changes",
    [
        {"filename": ""},
        {"filename": "a\r\nX-Evil: 1"},
        {"filename": "nul\x00"},
        {"filename": "x" * 256},
        {"content_type": "video/mp4\r\nX: 1"},
        {"file_size_bytes": -1},
        {"file_size_bytes": "1000"},
        {"file_size_bytes": True},
        {"file_size_bytes": 1.5},
        {"file_size_bytes": 10**30},
        {"duration_seconds": -1},
        {"duration_seconds": "NaN"},
        {"start": True},
        {"start": {"options": {"generate_gost": True}}},
        {"start": {"options": {"climber_height_cm": 5}}},
        {"start": {"options": {"detect_holds": "yes"}}},
        {"start": {"options": {"climber_hint": {"x": 2, "y": 0, "t": 0}}}},
    ],
    ids=str,
)
def test_malformed_announcements_are_refused(user: Person, changes: dict[str, Any]) -> None:
    problem(user.announce(**changes), 422, "invalid-request")


def test_numbers_that_are_none_are_refused(user: Person) -> None:
    body = b'{"filename": "a", "content_type": "video/mp4", "file_size_bytes": 1, "duration_seconds": NaN}'
    answer = user.call("POST", "/analysis/request-upload", content=body, headers={"Content-Type": "application/json"})
    problem(answer, 422, "invalid-request")


def test_strings_that_look_like_sql_are_only_strings(user: Person) -> None:
    name = "'; DROP TABLE videos; --.mp4"
    video_id = user.announce(filename=name).json()["video_id"]
    assert user.get(f"/videos/{video_id}").json()["filename"] == name
