"""Stopping the execution of an analysis that nobody wants any more."""

import logging
from uuid import UUID

from ascension.analyses.lifecycle import execution_arn
from ascension.settings import aws_client

log = logging.getLogger(__name__)


def cancel(run_id: UUID) -> None:
    """Stop the execution of an analysis or a correction. Never raises: what runs on finds its rows gone."""
    states = aws_client("stepfunctions")
    try:
        states.stop_execution(executionArn=execution_arn(run_id), error="cancelled", cause="deleted by its owner")
    except states.exceptions.ExecutionDoesNotExist:
        pass
    except Exception:
        log.warning("could not stop an execution", extra={"run_id": str(run_id)}, exc_info=True)
