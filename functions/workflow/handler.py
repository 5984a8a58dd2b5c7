"""The state machine's own steps, and the worker's progress reports: ``{"task": …, "job_id": …}``."""

from typing import Any
from uuid import UUID

from ascension.analyses import lifecycle
from ascension.logs import function_logger
from aws_lambda_powertools import Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = function_logger()
metrics = Metrics()
tracer = Tracer()


def begin(job_id: UUID, event: dict[str, Any]) -> dict[str, Any]:
    return {"proceed": lifecycle.begin(job_id)}


def progress(job_id: UUID, event: dict[str, Any]) -> dict[str, Any]:
    lifecycle.progress(job_id, event["stage"], event["fraction"])
    return {}


def complete(job_id: UUID, event: dict[str, Any]) -> dict[str, Any]:
    lifecycle.complete(job_id)
    return {}


def fail(job_id: UUID, event: dict[str, Any]) -> dict[str, Any]:
    logger.error("the analysis failed", extra={"error": event["error"]})
    lifecycle.fail(job_id, lifecycle.problem_of_execution(event["error"]["Error"]))
    return {}


TASKS = {"begin": begin, "progress": progress, "complete": complete, "fail": fail}


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    logger.append_keys(job_id=event["job_id"])
    metrics.add_metric(name=f"{event['task'].capitalize()}Steps", unit=MetricUnit.Count, value=1)
    return TASKS[event["task"]](UUID(event["job_id"]), event)
