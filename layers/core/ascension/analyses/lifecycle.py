"""An analysis from the upload to its end: pending → processing → completed or failed.

A completed analysis whose holds are corrected goes through the same once more, and is completed again whatever comes
of it.

Every step may be asked for twice, late or never, and may die between any two lines: each is one transaction guarded by
the row's status, and says its event only after the commit. What is lost on the way the janitor repairs
(``ascension.analyses.repair``).
"""

import hashlib
import json
import logging
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from ascension.analyses.problems import EmptyFile, Interrupted, LargerThanAnnounced, TimedOut
from ascension.database import Row, Transaction, every, one, transaction
from ascension.notifications import publish
from ascension.problems import Problem
from ascension.settings import aws_client, settings

log = logging.getLogger(__name__)


# Of one user; further ones wait for these to end, the oldest first.
RUNNING_AT_A_TIME = 3


def dispatch(job_id: UUID) -> None:
    """Start the job's execution if it is its turn, else it waits; with it whatever else of its user may start now.

    Once: an execution's name is its job id, so a second start is refused by Step Functions.
    """
    with transaction() as tx:
        row = one(
            tx,
            "SELECT a.id, a.user_id, a.options, v.object_key, c.id AS correction_id, c.folder, "
            "a.dispatched_at IS NOT NULL AS dispatched FROM analyses a JOIN videos v ON v.id = a.video_id "
            "LEFT JOIN corrections c ON c.id = a.correction_id "
            "WHERE a.id = %s AND a.status = 'pending' AND v.uploaded_at IS NOT NULL",
            job_id,
        )
        if row is None:
            return
        # Without a lock: what ends later than this gives its place to whoever waits by then, this one included.
        free = _free_places(tx, row["user_id"])
    if row["dispatched"]:
        # It had its turn, but whoever was to start it may have died in between.
        _start_execution(row)
    if free:
        dispatch_waiting(row["user_id"])


def dispatch_waiting(user_id: UUID) -> list[UUID]:
    """Give the user's free places to the oldest analyses that wait for one, and start their executions.

    Returns:
        The jobs whose turn has come.
    """
    with transaction() as tx:
        # Whoever gives away places of this user holds this row: two at a time would give away the same one twice.
        one(tx, "SELECT id FROM users WHERE id = %s FOR UPDATE", user_id)
        rows = every(
            tx,
            """
            WITH next AS (
                SELECT a.id, v.object_key, c.id AS correction_id, c.folder
                FROM analyses a JOIN videos v ON v.id = a.video_id LEFT JOIN corrections c ON c.id = a.correction_id
                WHERE a.user_id = %s AND a.status = 'pending' AND a.dispatched_at IS NULL AND v.uploaded_at IS NOT NULL
                ORDER BY a.created_at, a.id LIMIT %s
            )
            UPDATE analyses a SET dispatched_at = now() FROM next WHERE a.id = next.id AND a.status = 'pending'
            RETURNING a.id, a.user_id, a.options, next.object_key, next.correction_id, next.folder
            """,
            user_id,
            _free_places(tx, user_id),
        )
    for row in rows:
        _start_execution(row)
    return [row["id"] for row in rows]


def free_place(user_id: UUID) -> None:
    """An analysis of the user is over. That one has ended well even if the next cannot be started now."""
    try:
        dispatch_waiting(user_id)
    except Exception:
        # The janitor will, within a minute.
        log.exception("could not start the next analysis", extra={"user_id": str(user_id)})


def _free_places(tx: Transaction, user_id: UUID) -> int:
    row = one(
        tx,
        "SELECT count(*) AS taken FROM analyses "
        "WHERE user_id = %s AND (status = 'processing' OR status = 'pending' AND dispatched_at IS NOT NULL)",
        user_id,
    )
    assert row is not None
    taken: int = row["taken"]
    return max(0, RUNNING_AT_A_TIME - taken)


def _start_execution(job: Row) -> None:
    """``job``: id, user_id, options, object_key; correction_id and folder of a correction, or None."""
    run = job["correction_id"]
    execution_input = {
        "job_id": str(job["id"]),
        "correction_id": str(run) if run else None,
        "user_id": str(job["user_id"]),
        "video_key": job["object_key"],
        "result_prefix": result_prefix(job["user_id"], job["id"], job["folder"] or ""),
        "options_json": json.dumps(job["options"]),
        "timeout_seconds": settings().analysis_timeout_seconds,
        # Waiting for a worker is silence too: that a worker died is seen by its message coming back to the queue.
        "heartbeat_seconds": settings().analysis_timeout_seconds - 1,
    }
    states = aws_client("stepfunctions")
    try:
        states.start_execution(
            stateMachineArn=settings().state_machine_arn,
            name=str(run or job["id"]),
            input=json.dumps(execution_input, separators=(",", ":"), sort_keys=True),
        )
    except states.exceptions.ExecutionAlreadyExists:
        log.info("the execution exists already", extra={"job_id": str(job["id"])})


def execution_arn(run_id: UUID) -> str:
    """The execution of an analysis or of a correction, by its id, whether or not there is one."""
    return f"{settings().state_machine_arn.replace(':stateMachine:', ':execution:')}:{run_id}"


def result_prefix(user_id: UUID, job_id: UUID, folder: str = "") -> str:
    """Where in the videos bucket the worker puts what it made; ``folder`` is a correction's and ends with a slash."""
    return f"results/{user_id}/{job_id}/{folder}"


def upload_arrived(object_key: str, size_bytes: int) -> list[UUID]:
    """A video's bytes are in the bucket: remember it and start the analyses that wait for them, or line them up.

    Returns:
        The jobs that may run now; empty for a key that belongs to no video.
    """
    with transaction() as tx:
        # The same lock as in `start`: whichever comes second sees what the first one did.
        video = one(tx, "SELECT id FROM videos WHERE object_key = %s FOR UPDATE", object_key)
        if video is None:
            log.warning("an object arrived that no video announced", extra={"object_key": object_key})
            return []
        tx.execute(
            "UPDATE videos SET uploaded_at = coalesce(uploaded_at, now()), size_bytes = %s WHERE id = %s",
            (size_bytes, video["id"]),
        )
        pending = every(tx, "SELECT id FROM analyses WHERE video_id = %s AND status = 'pending'", video["id"])
    jobs = [row["id"] for row in pending]
    for job_id in jobs:
        dispatch(job_id)
    return jobs


def begin(job_id: UUID, correction_id: UUID | None = None) -> bool:
    """The execution runs: pending → processing, and the owner hears ``analysis:started``.

    Returns:
        Whether there is anything to analyse; False when the job is over already or the upload cannot be analysed.
    """
    with transaction() as tx:
        row = one(
            tx,
            "SELECT a.status, a.user_id, v.size_bytes, v.announced_size_bytes FROM analyses a "
            "JOIN videos v ON v.id = a.video_id WHERE a.id = %s AND a.correction_id IS NOT DISTINCT FROM %s "
            "FOR UPDATE OF a",
            job_id,
            correction_id,
        )
        if row is None or row["status"] in ("completed", "failed"):
            return False
        tx.execute(
            "UPDATE analyses SET status = 'processing', stage = 'starting', heartbeat_at = now(), "
            "started_at = coalesce(started_at, now()) WHERE id = %s",
            (job_id,),
        )
        tx.execute("UPDATE corrections SET started_at = coalesce(started_at, now()) WHERE id = %s", (correction_id,))
    if row["status"] == "pending":
        publish(row["user_id"], "analysis:started", job_id, {"stage": "starting", "fraction": 0.0})
    if correction_id is not None:
        return True
    unusable = upload_problem(row["size_bytes"], row["announced_size_bytes"])
    if unusable is not None:
        fail(job_id, unusable)
        return False
    return True


def upload_problem(size_bytes: int, announced_size_bytes: int) -> Problem | None:
    """What is wrong with an upload as far as its size tells."""
    if size_bytes == 0:
        return EmptyFile()
    if size_bytes > announced_size_bytes:
        return LargerThanAnnounced()
    return None


def progress(job_id: UUID, stage: str, fraction: float, correction_id: UUID | None = None) -> None:
    """The worker is at ``fraction`` (0 to 1) of the job. Reports that come late or twice change nothing."""
    with transaction() as tx:
        row = one(
            tx,
            "UPDATE analyses SET stage = %s, fraction = %s, heartbeat_at = now() "
            "WHERE id = %s AND correction_id IS NOT DISTINCT FROM %s AND status = 'processing' AND fraction < %s "
            "RETURNING user_id",
            stage,
            fraction,
            job_id,
            correction_id,
            fraction,
        )
    if row is not None:
        publish(row["user_id"], "analysis:progress", job_id, {"stage": stage, "fraction": round(fraction, 4)})


def complete(job_id: UUID, correction_id: UUID | None = None) -> None:
    """The worker has ended: take over what it made, or the problem it found, in one transaction."""
    with transaction() as tx:
        row = one(
            tx,
            "SELECT a.user_id, c.folder, coalesce(c.started_at, a.started_at) AS began FROM analyses a "
            "LEFT JOIN corrections c ON c.id = %s AND c.analysis_id = a.id WHERE a.id = %s",
            correction_id,
            job_id,
        )
    if row is None:  # deleted meanwhile
        return
    folder = row["folder"] or ""
    prefix = result_prefix(row["user_id"], job_id, folder)
    outcome = json.loads(_read(prefix + "outcome.json"))
    if outcome["status"] == "failed":
        fail(job_id, ReportedProblem(outcome["problem"]), correction_id)
        return
    result = _read(prefix + "compact.json.gz")
    with transaction() as tx:
        won = one(
            tx,
            "UPDATE analyses SET status = 'completed', stage = 'completed', fraction = 1, completed_at = now(), "
            "result = %s, result_etag = %s, result_folder = %s, revision = revision + %s, correction_id = NULL, "
            "error = NULL, started_at = %s, processing_time_ms = (extract(epoch FROM now() - %s) * 1000)::integer "
            "WHERE id = %s AND correction_id IS NOT DISTINCT FROM %s AND status IN ('pending', 'processing') "
            "RETURNING video_id",
            result,
            hashlib.sha256(result).hexdigest()[:32],
            folder,
            0 if correction_id is None else 1,
            row["began"],
            row["began"],
            job_id,
            correction_id,
        )
        if won is not None:
            _store_metrics(tx, job_id, outcome["metrics"], outcome["metrics_info"])
            if correction_id is None:
                _store_facts(tx, won["video_id"], outcome["video"], prefix + "thumbnail.jpg")
            else:
                tx.execute(
                    "UPDATE corrections SET status = 'completed', ended_at = now() WHERE id = %s", (correction_id,)
                )
        now = one(tx, "SELECT status, result_folder, revision FROM analyses WHERE id = %s", job_id)
    # Said again when this step is repeated after a crash: an event twice is better than none.
    if now is not None and now["status"] == "completed" and now["result_folder"] == folder:
        url = f"{settings().api_url}/analysis/{job_id}"
        data = {"metrics": outcome["metrics"], "result_url": url, "revision": now["revision"]}
        publish(row["user_id"], "analysis:completed", job_id, data)
    free_place(row["user_id"])


def fail(job_id: UUID, problem: Problem, correction_id: UUID | None = None) -> None:
    """The analysis ends without a result, a correction without a new one; ``problem`` says why in the user's words."""
    error = {"type": problem.type, "title": problem.title, "detail": problem.detail}
    if correction_id is not None:
        _fail_correction(job_id, correction_id, error)
        return
    with transaction() as tx:
        tx.execute(
            "UPDATE analyses SET status = 'failed', error = %s, completed_at = now() "
            "WHERE id = %s AND correction_id IS NULL AND status IN ('pending', 'processing')",
            (Jsonb(error), job_id),
        )
        row = one(tx, "SELECT user_id, status, error FROM analyses WHERE id = %s", job_id)
    if row is not None and row["status"] == "failed":
        told = {"type": row["error"]["type"], "detail": row["error"]["detail"]}
        publish(row["user_id"], "analysis:failed", job_id, told)
    if row is not None:
        free_place(row["user_id"])


def _fail_correction(job_id: UUID, correction_id: UUID, error: dict[str, Any]) -> None:
    """The analysis is again what it was before the correction, and tells why it is no more than that."""
    with transaction() as tx:
        tx.execute(
            "UPDATE analyses SET status = 'completed', stage = 'completed', fraction = 1, correction_id = NULL, "
            "error = %s WHERE id = %s AND correction_id = %s",
            (Jsonb(error), job_id, correction_id),
        )
        tx.execute(
            "UPDATE corrections SET status = 'failed', error = %s, ended_at = now() "
            "WHERE id = %s AND status = 'running'",
            (Jsonb(error), correction_id),
        )
        row = one(
            tx,
            "SELECT a.user_id, a.revision, c.status, c.error FROM analyses a "
            "JOIN corrections c ON c.analysis_id = a.id AND c.id = %s WHERE a.id = %s",
            correction_id,
            job_id,
        )
    if row is None:
        return
    if row["status"] == "failed":
        told = {"type": row["error"]["type"], "detail": row["error"]["detail"], "revision": row["revision"]}
        publish(row["user_id"], "analysis:failed", job_id, told)
    free_place(row["user_id"])


def problem_of_execution(error: str) -> Problem:
    """The problem behind an error that the state machine caught: its name decides, its cause stays in our logs."""
    return TimedOut() if error in ("States.Timeout", "States.HeartbeatTimeout") else Interrupted()


class ReportedProblem(Problem):
    """A problem that the worker found and put into words."""

    def __init__(self, reported: dict[str, Any]) -> None:
        super().__init__(reported["detail"])
        self.type = reported["type"]
        self.title = reported["title"]


def _read(key: str) -> bytes:
    body: bytes = aws_client("s3").get_object(Bucket=settings().videos_bucket, Key=key)["Body"].read()
    return body


def _store_facts(tx: Transaction, video_id: UUID, video: dict[str, Any], thumbnail_key: str) -> None:
    tx.execute(
        "UPDATE videos SET width = %s, height = %s, fps = %s, duration_s = %s, thumbnail_key = %s WHERE id = %s",
        (video["width"], video["height"], video["fps"], video["duration_s"], thumbnail_key, video_id),
    )


def _store_metrics(tx: Transaction, job_id: UUID, values: dict[str, Any], info: dict[str, Any]) -> None:
    tx.execute("DELETE FROM analysis_metrics WHERE analysis_id = %s", (job_id,))
    with tx.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO analysis_metrics (analysis_id, name, value, unit, uncertainty, reason) "
            "VALUES (%s, %s, %s, %s, %s, %s)",
            [
                (
                    job_id,
                    name,
                    value,
                    info.get(name, {}).get("unit"),
                    info.get(name, {}).get("uncertainty"),
                    info.get(name, {}).get("reason"),
                )
                for name, value in values.items()
            ],
        )
