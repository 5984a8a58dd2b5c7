"""Keeping, downloading and deleting videos, and leaving altogether."""

from typing import Any

import pytest
from ascension.analyses import lifecycle
from ascension.videos import storage

from tests.integration.api.conftest import NewUser, Person, Rows
from tests.integration.api.test_path import complete
from tests.integration.api.test_sessions import problem

pytestmark = pytest.mark.postgres


def uploaded(person: Person, rows: Rows, bucket: Any) -> tuple[str, str]:
    """A video whose bytes have arrived: its id and key."""
    video_id = person.announce().json()["video_id"]
    key: str = rows("SELECT object_key FROM videos WHERE id = %s", video_id)[0]["object_key"]
    bucket.put_object(Key=key, Body=b"video")
    lifecycle.upload_arrived(key, 5)
    return video_id, key


def keys(bucket: Any, person: Person) -> set[str]:
    """The keys of all of the user's objects."""
    return {item.key for item in bucket.objects.all() if f"/{person.id}/" in item.key}


def test_a_video_carries_addresses_once_there_is_something_at_them(user: Person, rows: Rows, bucket: Any) -> None:
    announced = user.get(f"/videos/{user.announce().json()['video_id']}").json()
    assert announced["download_url"] is None
    assert announced["thumbnail_url"] is None
    job_id = complete(user, rows, bucket)
    video = user.get(f"/videos/{user.get(f'/analysis/{job_id}').json()['video_id']}").json()
    assert "X-Amz-Expires=900" in video["download_url"]
    assert "/thumbnail.jpg?" in video["thumbnail_url"]
    assert video["saved"] is False
    assert video["expires_at"] > video["created_at"]


def test_saving_is_for_pro(user: Person, rows: Rows, bucket: Any) -> None:
    video_id, _ = uploaded(user, rows, bucket)
    problem(user.post(f"/videos/{video_id}/save"), 403, "saving-needs-pro")


def test_a_saved_video_is_copied_and_does_not_expire(pro: Person, rows: Rows, bucket: Any) -> None:
    video_id, key = uploaded(pro, rows, bucket)
    for _ in range(2):
        saved = pro.post(f"/videos/{video_id}/save")
        assert saved.status_code == 200
        assert saved.json()["saved"] is True
        assert saved.json()["expires_at"] is None
    copy = key.replace("uploads/", "saved/")
    assert bucket.Object(copy).get()["Body"].read() == b"video"
    assert f"/{copy}?" in pro.get(f"/videos/{video_id}").json()["download_url"]
    rows("UPDATE videos SET expires_at = now() - interval '1 hour' WHERE id = %s", video_id)
    assert pro.get(f"/videos/{video_id}").status_code == 200


def test_an_unsaved_video_has_another_day(pro: Person, rows: Rows, bucket: Any) -> None:
    video_id, _ = uploaded(pro, rows, bucket)
    pro.post(f"/videos/{video_id}/save")
    rows("UPDATE videos SET expires_at = now() - interval '1 hour' WHERE id = %s", video_id)
    for _ in range(2):
        assert pro.delete(f"/videos/{video_id}/save").status_code == 204
    video = pro.get(f"/videos/{video_id}").json()
    assert video["saved"] is False
    assert video["expires_at"] > video["created_at"]
    assert pro.post(f"/videos/{video_id}/save").json()["saved"] is True


def test_a_video_deleted_while_it_is_saved_leaves_no_copy(
    pro: Person, rows: Rows, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    video_id, _ = uploaded(pro, rows, bucket)
    copy = storage.copy

    def copy_and_delete(source: str, target: str) -> bool:
        copied = copy(source, target)
        assert pro.delete(f"/videos/{video_id}").status_code == 204
        # The copy ends after the deletion looked for it.
        bucket.put_object(Key=target, Body=b"video")
        return copied

    monkeypatch.setattr(storage, "copy", copy_and_delete)
    problem(pro.post(f"/videos/{video_id}/save"), 404, "video-not-found")
    assert keys(bucket, pro) == set()


def test_a_video_that_has_not_arrived_cannot_be_saved(pro: Person) -> None:
    problem(pro.post(f"/videos/{pro.announce().json()['video_id']}/save"), 409, "video-not-uploaded")


def test_an_expired_video_is_gone_even_before_the_janitor_comes(user: Person, rows: Rows, bucket: Any) -> None:
    video_id, _ = uploaded(user, rows, bucket)
    rows("UPDATE videos SET expires_at = now() - interval '1 s' WHERE id = %s", video_id)
    problem(user.get(f"/videos/{video_id}"), 404, "video-not-found")
    problem(user.start(video_id), 404, "video-not-found")
    assert user.get("/videos").json()["items"] == []


def test_a_deleted_video_takes_its_objects_and_analyses_along(pro: Person, rows: Rows, bucket: Any) -> None:
    job_id = complete(pro, rows, bucket)
    video_id = pro.get(f"/analysis/{job_id}").json()["video_id"]
    pro.post(f"/videos/{video_id}/save")
    other, key = uploaded(pro, rows, bucket)
    assert pro.delete(f"/videos/{video_id}").status_code == 204
    problem(pro.get(f"/videos/{video_id}"), 404, "video-not-found")
    problem(pro.get(f"/analysis/{job_id}"), 404, "analysis-not-found")
    assert keys(bucket, pro) == {key}
    assert pro.get(f"/videos/{other}").status_code == 200


def test_deleting_the_account_leaves_nothing_behind(new_user: NewUser, rows: Rows, bucket: Any) -> None:
    leaving, staying = new_user("pro"), new_user("pro")
    for person in (leaving, staying):
        job_id = complete(person, rows, bucket)
        person.post(f"/videos/{person.get(f'/analysis/{job_id}').json()['video_id']}/save")
        body = {"filename": "a.mp4", "content_type": "video/mp4", "file_size_bytes": 1, "start": {}}
        person.post("/analysis/request-upload", body, headers={"Idempotency-Key": "leaving"})
        person.post("/ws/ticket")
    assert leaving.delete("/me").status_code == 204
    assert keys(bucket, leaving) == set()
    assert len(keys(bucket, staying)) == 4
    tables = rows(
        "SELECT table_name FROM information_schema.columns WHERE column_name = 'user_id' AND table_schema = 'public'"
    )
    assert len(tables) >= 8
    for table in tables:
        name = table["table_name"]
        assert rows(f"SELECT count(*) AS n FROM {name} WHERE user_id = %s", leaving.id)[0]["n"] == 0, name
    problem(leaving.get("/me"), 401, "not-authenticated")
    answer = leaving.client.post("/auth/refresh", json={"refresh_token": leaving.refresh_token})
    problem(answer, 401, "invalid-refresh-token")
    assert staying.get("/me").status_code == 200


def test_an_account_that_could_not_be_deleted_is_still_there_to_be_deleted_again(
    pro: Person, rows: Rows, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete(pro, rows, bucket)

    def unreachable(keys: list[str]) -> None:
        raise ConnectionError("S3 is away")

    with monkeypatch.context() as away:
        away.setattr(storage, "remove_objects", unreachable)
        problem(pro.delete("/me"), 500, "internal")
    assert len(pro.get("/analysis").json()["items"]) == 1
    assert pro.delete("/me").status_code == 204
    assert keys(bucket, pro) == set()


def test_running_jobs_are_stopped_with_their_account(user: Person, rows: Rows, bucket: Any) -> None:
    import boto3
    from ascension.settings import settings

    video_id, _ = uploaded(user, rows, bucket)
    job_id = user.start(video_id).json()["job_id"]
    assert user.delete("/me").status_code == 204
    arn = settings().state_machine_arn.replace(":stateMachine:", ":execution:") + f":{job_id}"
    assert boto3.client("stepfunctions").describe_execution(executionArn=arn)["status"] == "ABORTED"


def test_deleting_a_video_makes_room_for_the_analyses_that_wait(
    user: Person, rows: Rows, bucket: Any, executions: Any
) -> None:
    videos = [uploaded(user, rows, bucket)[0] for _ in range(4)]
    jobs = [user.start(video_id).json()["job_id"] for video_id in videos]
    assert [job in executions() for job in jobs] == [True, True, True, False]
    assert user.delete(f"/videos/{videos[1]}").status_code == 204
    assert jobs[3] in executions()
