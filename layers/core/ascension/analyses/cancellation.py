"""Stopping the execution of an analysis that nobody wants any more."""

import logging
from uuid import UUID

from ascension.analyses.lifecycle import execution_arn
from ascension.settings import aws_client

log = logging.getLogger(__name__)


def cancel(job_id: UUID) -> None:
    """Stop the job's execution and its Batch job. Never raises: a job that runs on finds its rows gone and ends."""
    states = aws_client("stepfunctions")
    try:
        states.stop_execution(executionArn=execution_arn(job_id), error="cancelled", cause="deleted by its owner")
    except states.exceptions.ExecutionDoesNotExist:
        pass
    except Exception:
        log.warning("could not stop an execution", extra={"job_id": str(job_id)}, exc_info=True)
