"""The work queues, and the workers that drain them: Batch jobs that serve many analyses and end when nothing is left.

A worker keeps a message to itself by renewing its visibility; when it dies, the message comes back after half a minute
and another worker takes the analysis up with the same task token. See docs/decisions/0005-workers-stay-warm.md.
"""

import json
import logging
import math
from typing import Any
from uuid import UUID

from ascension.analyses.lifecycle import result_prefix
from ascension.database import one, transaction
from ascension.models import service as models
from ascension.settings import aws_client, settings

log = logging.getLogger(__name__)

# An analysis takes seconds, an instance minutes to come: a worker more is worth it for every so many that wait.
ANALYSES_PER_WORKER = 3
_ACTIVE = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")
# What a worker keeps of an analysis beside its result, so that corrections need not look at the video again.
KEPT = "working.npz"
# Any constant will do, as long as everybody who counts workers uses the same.
_LOCK = 0x574F524B


def hand_over(job_id: UUID, task_token: str, work: dict[str, Any], correction_id: UUID | None = None) -> None:
    """Put an analysis, or a correction, on its queue and see to it that somebody takes it.

    The worker answers by the token.
    """
    with transaction() as tx:
        row = one(
            tx,
            "SELECT a.user_id, u.subscription_tier <> 'free' AS paying, a.result_folder, c.changes FROM analyses a "
            "JOIN users u ON u.id = a.user_id LEFT JOIN corrections c ON c.id = %s AND c.analysis_id = a.id "
            "WHERE a.id = %s",
            correction_id,
            job_id,
        )
    queue = settings().priority_queue_url if row and row["paying"] else settings().work_queue_url
    message = {"task_token": task_token, **work}
    if row and correction_id is not None:
        # What it starts from: what was seen in the video, and what corrections before it made of that.
        kept = result_prefix(row["user_id"], job_id, row["result_folder"]) + KEPT
        message |= {"correction_id": str(correction_id), "changes": row["changes"], "kept_key": kept}
    elif row:
        message["models"] = models.in_force(row["user_id"]) if row["paying"] else {}
    aws_client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(message))
    try:
        staff()
    except Exception:
        # The work is on its queue, and the janitor looks every minute whether anybody takes it.
        log.exception("could not see to workers", extra={"job_id": str(job_id)})


def staff(leaving: str = "") -> int:
    """Start workers if the queues need more than there are, never more than allowed.

    Args:
        leaving: a worker that is about to end and counts no more, by its Batch job id.

    Returns:
        How many were started.
    """
    with transaction() as tx:
        # One at a time: two that count at once would both find a worker missing.
        tx.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        wanted = min(settings().max_workers, math.ceil(_waiting() / ANALYSES_PER_WORKER))
        missing = max(0, wanted - len(_active() - {leaving})) if wanted else 0
        for _ in range(missing):
            aws_client("batch").submit_job(
                jobName="worker", jobQueue=settings().job_queue, jobDefinition=settings().job_definition
            )
    if missing:
        log.info("workers started", extra={"workers": missing})
    return missing


def _waiting() -> int:
    """Analyses on the queues, those at work included."""
    counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    total = 0
    for url in (settings().priority_queue_url, settings().work_queue_url):
        answer = aws_client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=counts)
        total += sum(int(answer["Attributes"][name]) for name in counts)
    return total


def _active() -> set[str]:
    """The Batch job ids of the workers that run or will."""
    batch = aws_client("batch")
    found: set[str] = set()
    for status in _ACTIVE:
        for page in batch.get_paginator("list_jobs").paginate(jobQueue=settings().job_queue, jobStatus=status):
            found |= {job["jobId"] for job in page["jobSummaryList"]}
    return found
