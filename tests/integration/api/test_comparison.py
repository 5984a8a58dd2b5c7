"""The metrics of two analyses side by side."""

from typing import Any
from uuid import uuid4

import pytest

from tests.integration.api.conftest import Person, Rows
from tests.integration.api.test_path import complete
from tests.integration.api.test_sessions import problem

pytestmark = pytest.mark.postgres

Measured = tuple[float | None, str | None, float | None]


@pytest.fixture
def measured(user: Person, rows: Rows, bucket: Any) -> Any:
    """Makes completed analyses with metrics: (value, unit, uncertainty) by name."""

    def make(**metrics: Measured) -> str:
        job_id = complete(user, rows, bucket)
        rows("DELETE FROM analysis_metrics WHERE analysis_id = %s", job_id)
        for name, (value, unit, uncertainty) in metrics.items():
            reason = "not seen" if value is None else None
            query = "INSERT INTO analysis_metrics VALUES (%s, %s, %s, %s, %s, %s)"
            rows(query, job_id, name, value, unit, uncertainty, reason)
        return job_id

    return make


def test_a_change_means_something_where_it_exceeds_what_both_may_err_by(user: Person, measured: Any) -> None:
    before = measured(reach=(170.0, "cm", 3.0), rest=(2.0, "s", 3.0))
    after = measured(reach=(176.0, "cm", 4.0), rest=(7.0, "s", 4.0))
    compared = user.get(f"/analysis/{before}/compare/{after}")
    assert compared.status_code == 200
    assert compared.json() == {
        "analyses": [before, after],
        "same_wall": None,
        "metrics": {
            "reach": {"unit": "cm", "values": [170.0, 176.0], "change": 6.0, "uncertainty": 5.0, "meaningful": True},
            "rest": {"unit": "s", "values": [2.0, 7.0], "change": 5.0, "uncertainty": 5.0, "meaningful": False},
        },
    }
    back = user.get(f"/analysis/{after}/compare/{before}").json()
    assert back["metrics"]["reach"]["change"] == -6.0


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ((170.0, "cm", None), (176.0, "cm", 4.0), 6.0),
        ((None, "cm", None), (176.0, "cm", 4.0), None),
        ((1.7, "m", 0.1), (176.0, "cm", 4.0), None),
        (None, (176.0, "cm", 4.0), None),
    ],
    ids=["uncertainty unknown", "not measured", "another unit", "not there"],
)
def test_what_cannot_be_known_of_a_change_is_null(
    user: Person, measured: Any, before: Measured | None, after: Measured, change: float | None
) -> None:
    first, second = measured(**({"reach": before} if before else {})), measured(reach=after)
    compared = user.get(f"/analysis/{first}/compare/{second}").json()["metrics"]["reach"]
    assert (compared["change"], compared["uncertainty"], compared["meaningful"]) == (change, None, None)
    assert compared["values"] == [before[0] if before else None, 176.0]


def test_two_analyses_of_one_video_are_of_one_wall(user: Person, measured: Any) -> None:
    job_id = measured(reach=(170.0, "cm", 3.0))
    assert user.get(f"/analysis/{job_id}/compare/{job_id}").json()["same_wall"] is True


def test_both_must_be_completed_and_one_s_own(user: Person, pro: Person, measured: Any) -> None:
    mine, unfinished = measured(), user.announce(start={}).json()["job_id"]
    for other in (pro.announce(start={}).json()["job_id"], str(uuid4())):
        problem(user.get(f"/analysis/{mine}/compare/{other}"), 404, "analysis-not-found")
        problem(user.get(f"/analysis/{other}/compare/{mine}"), 404, "analysis-not-found")
    problem(user.get(f"/analysis/{mine}/compare/{unfinished}"), 409, "analysis-not-completed")
