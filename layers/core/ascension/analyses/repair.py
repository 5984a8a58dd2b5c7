"""What the janitor puts right: events that never came, executions that are gone, objects and rows past their time."""

import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

from ascension.analyses.lifecycle import (
    RUNNING_AT_A_TIME,
    dispatch,
    dispatch_waiting,
    execution_arn,
    fail,
    result_prefix,
    upload_arrived,
)
from ascension.analyses.problems import Interrupted, TimedOut, UploadMissing
from ascension.analyses.workers import staff
from ascension.database import every, transaction
from ascension.settings import aws_client, settings
from ascension.videos import storage

log = logging.getLogger(__name__)

# How many rows of one kind a run takes: the next one comes in a minute.
BATCH = 200


def repair() -> dict[str, int]:
    """Run every repair once; one that fails does not keep the others from running.

    Returns:
        How many things each repair put right.

    Raises:
        ExceptionGroup: what went wrong, after all repairs had their turn.
    """
    repairs: dict[str, Callable[[], int]] = {
        "uploads_found": find_uploads,
        "uploads_given_up": give_up_uploads,
        "jobs_dispatched": dispatch_forgotten,
        "jobs_failed": fail_abandoned,
        "workers_started": staff,
        "videos_removed": remove_expired_videos,
        "revisions_removed": remove_old_revisions,
        "rows_expired": remove_expired_rows,
    }
    done: dict[str, int] = {}
    errors: list[Exception] = []
    for name, step in repairs.items():
        try:
            done[name] = step()
        except Exception as error:
            log.exception("a repair failed", extra={"repair": name})
            errors.append(error)
    if errors:
        raise ExceptionGroup("repairs failed", errors)
    return done


def find_uploads() -> int:
    """Videos whose bytes are in the bucket although no upload event came."""
    with transaction() as tx:
        waiting = every(
            tx,
            "SELECT object_key FROM videos WHERE uploaded_at IS NULL AND removed_at IS NULL "
            "AND created_at BETWEEN now() - interval '1 hour' AND now() - interval '1 minute' "
            "ORDER BY created_at LIMIT %s",
            BATCH,
        )
    found = 0
    for row in waiting:
        head = _head(row["object_key"])
        if head is not None:
            upload_arrived(row["object_key"], head["ContentLength"])
            found += 1
    return found


def give_up_uploads() -> int:
    """Analyses whose video did not come within the hour: the presigned URL has long expired."""
    with transaction() as tx:
        rows = every(
            tx,
            "SELECT a.id FROM analyses a JOIN videos v ON v.id = a.video_id WHERE a.status = 'pending' "
            "AND v.uploaded_at IS NULL AND greatest(a.created_at, v.created_at) < now() - interval '1 hour' LIMIT %s",
            BATCH,
        )
    for row in rows:
        fail(row["id"], UploadMissing())
    return len(rows)


def dispatch_forgotten() -> int:
    """Analyses whose turn it was but that never began, and those whose turn it is now (whoever died in between)."""
    with transaction() as tx:
        rows = every(
            tx,
            "SELECT id, correction_id, dispatched_at < now() - interval '3 minutes' AS old FROM analyses "
            "WHERE status = 'pending' AND dispatched_at < now() - interval '30 seconds' "
            "ORDER BY dispatched_at LIMIT %s",
            BATCH,
        )
    for row in rows:
        # An execution that ended without ever saying "begun" cannot be started again under its name.
        if row["old"] and _execution_status(row["correction_id"] or row["id"]) not in (None, "RUNNING"):
            fail(row["id"], Interrupted(), row["correction_id"])
        else:
            dispatch(row["id"])
    return len(rows) + dispatch_next_in_line()


def dispatch_next_in_line() -> int:
    """Analyses that wait although their user has places free. By user: a long line of one keeps no other waiting."""
    with transaction() as tx:
        users = every(
            tx,
            """
            SELECT user_id FROM (
                SELECT a.user_id, min(a.created_at) AS since FROM analyses a JOIN videos v ON v.id = a.video_id
                WHERE a.status = 'pending' AND a.dispatched_at IS NULL AND v.uploaded_at IS NOT NULL
                AND greatest(a.created_at, v.uploaded_at) < now() - interval '30 seconds' GROUP BY a.user_id
            ) waiting
            WHERE (
                SELECT count(*) FROM analyses running WHERE running.user_id = waiting.user_id
                AND (running.status = 'processing' OR running.status = 'pending' AND running.dispatched_at IS NOT NULL)
            ) < %s
            ORDER BY since LIMIT %s
            """,
            RUNNING_AT_A_TIME,
            BATCH,
        )
    return sum(len(dispatch_waiting(row["user_id"])) for row in users)


def fail_abandoned() -> int:
    """Analyses that say they run although their execution is over, or past every deadline."""
    with transaction() as tx:
        rows = every(
            tx,
            "SELECT a.id, a.correction_id, "
            "coalesce(c.started_at, a.started_at) < now() - make_interval(secs => %s) AS overdue "
            "FROM analyses a LEFT JOIN corrections c ON c.id = a.correction_id "
            "WHERE a.status = 'processing' AND a.heartbeat_at < now() - interval '30 seconds' "
            "ORDER BY a.heartbeat_at LIMIT %s",
            # The state machine's own timeout comes first; attempts and retries have a minute more.
            settings().analysis_timeout_seconds + 60,
            BATCH,
        )
    failed = 0
    for row in rows:
        run_id = row["correction_id"] or row["id"]
        status = _execution_status(run_id)
        if status == "RUNNING" and not row["overdue"]:
            continue
        if status == "RUNNING":
            aws_client("stepfunctions").stop_execution(
                executionArn=execution_arn(run_id), error="timed-out", cause="past its deadline"
            )
        problem = TimedOut() if row["overdue"] or status == "TIMED_OUT" else Interrupted()
        fail(row["id"], problem, row["correction_id"])
        failed += 1
    return failed


def remove_expired_videos() -> int:
    """Unsaved videos past their 24 hours: the object first, then the row's mark, so that nothing is forgotten."""
    with transaction() as tx:
        rows = every(
            tx,
            "SELECT id, object_key FROM videos WHERE saved_at IS NULL AND removed_at IS NULL AND expires_at < now() "
            "ORDER BY expires_at LIMIT %s",
            BATCH,
        )
    for row in rows:
        aws_client("s3").delete_object(Bucket=settings().videos_bucket, Key=row["object_key"])
        with transaction() as tx:
            tx.execute(
                "UPDATE videos SET removed_at = now() WHERE id = %s AND saved_at IS NULL AND expires_at < now()",
                (row["id"],),
            )
    return len(rows)


def remove_old_revisions() -> int:
    """Files of revisions that others have taken the place of, and of corrections that failed, after an hour.

    Until then somebody may be reading them, or a worker that was taken for dead may be writing.
    """
    with transaction() as tx:
        rows = every(
            tx,
            "SELECT c.id, c.analysis_id, a.user_id, c.folder FROM corrections c "
            "JOIN analyses a ON a.id = c.analysis_id WHERE c.ended_at < now() - interval '1 hour' "
            "AND c.removed_at IS NULL AND a.result_folder <> c.folder "
            "AND NOT EXISTS (SELECT FROM corrections later WHERE later.analysis_id = a.id "
            "                AND coalesce(later.ended_at, now()) > now() - interval '1 hour') "
            "ORDER BY c.ended_at LIMIT %s",
            BATCH,
        )
    for row in rows:
        storage.remove(result_prefix(row["user_id"], row["analysis_id"], row["folder"]))
        with transaction() as tx:
            tx.execute("UPDATE corrections SET removed_at = now() WHERE id = %s", (row["id"],))
    return len(rows)


def remove_expired_rows() -> int:
    """Connections, tickets, tokens, links, limits and remembered answers that nobody needs any more."""
    with transaction() as tx:
        return sum(
            tx.execute(query).rowcount
            for query in (
                "DELETE FROM connections WHERE expires_at < now()",
                "DELETE FROM ws_tickets WHERE expires_at < now()",
                "DELETE FROM refresh_tokens WHERE expires_at < now()",
                "DELETE FROM shares WHERE expires_at < now()",
                "DELETE FROM rate_limits WHERE drained_at < now()",
                "DELETE FROM idempotency_keys WHERE created_at < now() - interval '24 hours'",
            )
        )


def _head(key: str) -> dict[str, Any] | None:
    s3 = aws_client("s3")
    try:
        answer: dict[str, Any] = s3.head_object(Bucket=settings().videos_bucket, Key=key)
    except s3.exceptions.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return None
        raise
    return answer


def _execution_status(run_id: UUID) -> str | None:
    """RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED; None when there is no such execution."""
    states = aws_client("stepfunctions")
    try:
        status: str = states.describe_execution(executionArn=execution_arn(run_id))["status"]
    except states.exceptions.ExecutionDoesNotExist:
        return None
    return status
