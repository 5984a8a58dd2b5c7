"""Handing work to workers, and having as many workers as there is work for."""

import json
from typing import Any

import pytest
from ascension.analyses import workers
from ascension.database import transaction
from ascension.settings import aws_client, settings

from tests.functions import invoke
from tests.integration.workflow.conftest import Batch, Climb
from tests.integration.workflow.test_workflow import step

WORK = {"job_id": "a job", "video_key": "uploads/v.mp4", "result_prefix": "results/", "options": {}}


def hand_over(climb: Climb) -> None:
    step(climb, "hand_over", task_token="the token", work=WORK)


def waiting(url: str) -> list[dict[str, Any]]:
    received = aws_client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"]) for message in received]


def test_an_analysis_goes_onto_the_queue_with_its_token_and_a_worker_is_started(climb: Climb, cloud: Batch) -> None:
    hand_over(climb)
    assert waiting(settings().work_queue_url) == [{"task_token": "the token", **WORK, "models": {}}]
    assert list(cloud.jobs.values()) == ["SUBMITTED"]


@pytest.mark.parametrize("tier", ["pro", "enterprise"])
def test_paying_customers_work_has_a_queue_of_its_own(climb: Climb, tier: str) -> None:
    with transaction() as tx:
        tx.execute("UPDATE users SET subscription_tier = %s WHERE id = %s", (tier, climb.user_id))
    hand_over(climb)
    assert waiting(settings().work_queue_url) == []
    assert len(waiting(settings().priority_queue_url)) == 1


def test_no_worker_is_started_that_is_not_needed(climb: Climb, cloud: Batch) -> None:
    for _ in range(3):
        hand_over(climb)
    assert len(cloud.jobs) == 1
    hand_over(climb)
    assert len(cloud.jobs) == 2


def test_there_are_never_more_workers_than_allowed(climb: Climb, cloud: Batch) -> None:
    for _ in range(30):
        hand_over(climb)
    assert len(cloud.jobs) == 5


def test_work_that_arrives_while_the_last_worker_leaves_gets_a_new_one(climb: Climb, cloud: Batch) -> None:
    hand_over(climb)
    (leaving,) = cloud.jobs
    cloud.jobs[leaving] = "RUNNING"
    assert invoke("workflow", {"task": "staff", "leaving": leaving}) == {"started": 1}


def test_a_worker_that_leaves_empty_queues_is_not_replaced(cloud: Batch) -> None:
    cloud.jobs["a worker"] = "RUNNING"
    assert invoke("workflow", {"task": "staff", "leaving": "a worker"}) == {"started": 0}


def test_work_whose_worker_died_gets_a_new_one_from_the_janitor(climb: Climb, cloud: Batch) -> None:
    hand_over(climb)
    (dead,) = cloud.jobs
    cloud.jobs[dead] = "FAILED"
    assert invoke("janitor", {})["workers_started"] == 1


def test_work_is_on_its_queue_even_when_no_worker_can_be_started(climb: Climb, monkeypatch: pytest.MonkeyPatch) -> None:
    def out_of_order(leaving: str = "") -> int:
        raise ConnectionError

    monkeypatch.setattr(workers, "staff", out_of_order)
    hand_over(climb)
    assert len(waiting(settings().work_queue_url)) == 1
