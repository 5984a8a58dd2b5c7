"""At most three analyses of one user run at a time; the others wait their turn."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from ascension.analyses import lifecycle
from ascension.analyses.problems import Interrupted
from ascension.database import every, transaction
from ascension.settings import aws_client, settings

from tests.functions import invoke
from tests.integration.workflow.conftest import Climb
from tests.integration.workflow.test_ingest import deliver, upload_event
from tests.integration.workflow.test_workflow import OUTCOME, RESULT, step

pytestmark = pytest.mark.postgres


@dataclass
class Session:
    """A user's evening: several videos, each with a pending analysis, the first one made first."""

    user_id: UUID
    climbs: list[Climb]

    @property
    def started(self) -> list[int]:
        """Which of the climbs have an execution."""
        return [number for number, climb in enumerate(self.climbs) if climb.executions]

    def upload(self, *numbers: int) -> None:
        deliver(*[upload_event(self.climbs[number].key) for number in numbers])

    def finish(self, number: int) -> None:
        climb = self.climbs[number]
        step(climb, "begin")
        climb.put_outcome(OUTCOME, RESULT)
        step(climb, "complete")


def session(count: int) -> Session:
    user = uuid4()
    climbs = []
    with transaction() as tx:
        tx.execute("INSERT INTO users (id, email, password_hash) VALUES (%s, %s, 'x')", (user, f"{user}@example.com"))
        for number in range(count):
            video, job = uuid4(), uuid4()
            key = f"uploads/{user}/{video}/{video}.mp4"
            tx.execute(
                "INSERT INTO videos (id, user_id, filename, content_type, object_key, announced_size_bytes, "
                "expires_at) VALUES (%s, %s, 'climb.mp4', 'video/mp4', %s, 1000, now() + interval '1 day')",
                (video, user, key),
            )
            tx.execute(
                "INSERT INTO analyses (id, video_id, user_id, options, options_hash, created_at) "
                "VALUES (%s, %s, %s, '{}', 'hash', now() - make_interval(secs => %s))",
                (job, video, user, 10 * (count - number)),
            )
            climbs.append(Climb(user, video, job, key))
    return Session(user, climbs)


@pytest.fixture
def evening(cloud: None) -> Iterator[Session]:
    made = session(6)
    yield made
    forget(made)


def forget(made: Session) -> None:
    with transaction() as tx:
        tx.execute("DELETE FROM users WHERE id = %s", (made.user_id,))


def test_a_fourth_analysis_waits(evening: Session) -> None:
    evening.upload(0, 1, 2, 3, 4)
    assert evening.started == [0, 1, 2]
    assert evening.climbs[3].row["status"] == "pending"
    assert evening.climbs[3].row["stage"] == "waiting"


def test_the_oldest_that_waits_is_next_when_one_completes(evening: Session) -> None:
    evening.upload(5, 4, 3, 2, 1)
    assert evening.started == [3, 4, 5]
    evening.finish(4)
    assert evening.started == [1, 3, 4, 5]
    evening.upload(0)
    evening.finish(5)
    assert evening.started == [0, 1, 3, 4, 5]


def test_a_failed_one_makes_room_too_and_only_once(evening: Session) -> None:
    evening.upload(0, 1, 2, 3, 4, 5)
    for _ in range(3):
        lifecycle.fail(evening.climbs[0].job_id, Interrupted())
    assert evening.started == [0, 1, 2, 3]


def test_all_have_their_turn(evening: Session) -> None:
    evening.upload(*range(6))
    for number in range(6):
        evening.finish(number)
    assert {climb.row["status"] for climb in evening.climbs} == {"completed"}


def test_the_same_event_again_gives_no_more_places(evening: Session) -> None:
    for _ in range(3):
        evening.upload(0, 1, 2, 3, 4, 5)
    assert evening.started == [0, 1, 2]


def test_one_users_line_is_not_anothers(evening: Session) -> None:
    evening.upload(0, 1, 2, 3)
    other = session(1)
    other.upload(0)
    assert other.started == [0]
    forget(other)


def test_many_at_once_get_three_places_between_them(evening: Session) -> None:
    with transaction() as tx:
        tx.execute("UPDATE videos SET uploaded_at = now() WHERE user_id = %s", (evening.user_id,))
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda climb: lifecycle.dispatch(climb.job_id), evening.climbs * 3))
    with transaction() as tx:
        rows = every(tx, "SELECT id FROM analyses WHERE user_id = %s AND dispatched_at IS NOT NULL", evening.user_id)
    assert {row["id"] for row in rows} == {climb.job_id for climb in evening.climbs[:3]}


def test_the_janitor_gives_a_free_place_that_nobody_gave(evening: Session) -> None:
    evening.upload(0, 1, 2, 3)
    # Deleted by hand: nothing ran that could have made room.
    with transaction() as tx:
        tx.execute("DELETE FROM analyses WHERE id = %s", (evening.climbs[1].job_id,))
    for climb in evening.climbs:
        climb.age_video(uploaded_at="1 minute")
        climb.age(created_at="1 minute")
    invoke("janitor", {})
    assert evening.climbs[3].executions


def test_the_janitor_starts_what_had_its_turn_but_never_began(evening: Session) -> None:
    evening.upload(0)
    arn = settings().state_machine_arn.replace(":stateMachine:", ":execution:")
    with transaction() as tx:
        tx.execute("UPDATE videos SET uploaded_at = now() WHERE id = %s", (evening.climbs[1].video_id,))
        # As if whoever gave the place had died before the execution was started.
        tx.execute(
            "UPDATE analyses SET dispatched_at = now() - interval '1 minute' WHERE id = %s",
            (evening.climbs[1].job_id,),
        )
    assert evening.started == [0]
    invoke("janitor", {})
    assert evening.started == [0, 1]
    assert aws_client("stepfunctions").describe_execution(executionArn=f"{arn}:{evening.climbs[1].job_id}")


def test_a_completion_stands_even_if_the_next_cannot_be_started(
    evening: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    evening.upload(0, 1, 2, 3)

    def unreachable(user_id: UUID) -> list[UUID]:
        raise ConnectionError

    monkeypatch.setattr(lifecycle, "dispatch_waiting", unreachable)
    evening.finish(0)
    assert evening.climbs[0].row["status"] == "completed"
