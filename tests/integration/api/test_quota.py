"""What each tier may do, however many ask at once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.api.conftest import Person, Rows
from tests.integration.api.test_sessions import problem

pytestmark = pytest.mark.postgres


def test_of_fifty_concurrent_starts_exactly_ten_pass(user: Person) -> None:
    video_id = user.announce().json()["video_id"]
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda height: user.start(video_id, climber_height_cm=height), range(150, 200)))
    assert Counter(answer.status_code for answer in answers) == {202: 10, 403: 40}
    assert {answer.json()["type"] for answer in answers if answer.status_code == 403} == {"monthly-quota-reached"}
    assert user.get("/me").json()["usage"]["analyses_this_month"] == 10


def test_concurrent_starts_with_the_same_options_give_one_job(user: Person) -> None:
    video_id = user.announce().json()["video_id"]
    with ThreadPoolExecutor(8) as threads:
        jobs = {answer.json()["job_id"] for answer in threads.map(lambda _: user.start(video_id), range(20))}
    assert len(jobs) == 1
    assert user.get("/me").json()["usage"]["analyses_this_month"] == 1


def test_a_job_that_is_there_already_costs_nothing_even_when_all_is_used_up(user: Person) -> None:
    video_id = user.announce().json()["video_id"]
    jobs = [user.start(video_id, climber_height_cm=height).json()["job_id"] for height in range(150, 160)]
    problem(user.start(video_id, climber_height_cm=160), 403, "monthly-quota-reached")
    assert user.start(video_id, climber_height_cm=150).json()["job_id"] == jobs[0]


def test_an_upload_whose_start_is_refused_is_not_announced(user: Person) -> None:
    problem(user.announce(start={"options": {"generate_ghost": True}}), 403, "ghost-needs-pro")
    assert user.get("/videos").json()["items"] == []


def test_a_failed_analysis_does_not_count(user: Person, rows: Rows) -> None:
    user.announce(start={})
    rows(
        'UPDATE analyses SET status = \'failed\', error = \'{"type": "x", "title": "X", "detail": "x"}\' '
        "WHERE user_id = %s",
        user.id,
    )
    assert user.get("/me").json()["usage"]["analyses_this_month"] == 0


def test_last_months_analyses_do_not_count(user: Person, rows: Rows) -> None:
    user.announce(start={})
    rows("UPDATE quota_uses SET used_at = used_at - interval '1 month' WHERE user_id = %s", user.id)
    assert user.get("/me").json()["usage"]["analyses_this_month"] == 0


def test_deleting_a_video_gives_no_analysis_back_unless_it_failed(user: Person, rows: Rows) -> None:
    kept, failed = user.announce(start={}).json(), user.announce(start={}).json()
    rows(
        'UPDATE analyses SET status = \'failed\', error = \'{"type": "x", "title": "X", "detail": "x"}\' WHERE id = %s',
        failed["job_id"],
    )
    for video in (kept, failed):
        assert user.delete(f"/videos/{video['video_id']}").status_code == 204
    assert user.get("/me").json()["usage"]["analyses_this_month"] == 1


def test_the_ghost_is_for_pro_and_there_by_default(user: Person, pro: Person) -> None:
    free_video, pro_video = user.announce().json()["video_id"], pro.announce().json()["video_id"]
    problem(user.start(free_video, generate_ghost=True), 403, "ghost-needs-pro")
    free_job, pro_job = user.start(free_video).json()["job_id"], pro.start(pro_video).json()["job_id"]
    assert user.get(f"/analysis/{free_job}").json()["options"]["generate_ghost"] is False
    assert pro.get(f"/analysis/{pro_job}").json()["options"]["generate_ghost"] is True


def test_pro_has_no_monthly_limit(pro: Person) -> None:
    video_id = pro.announce().json()["video_id"]
    answers = [pro.start(video_id, climber_height_cm=height) for height in range(150, 162)]
    assert {answer.status_code for answer in answers} == {202}
    assert pro.get("/me").json()["usage"]["limit"] is None
