"""The state machine's own steps, and what workers report: ``{"task": …}``, and ``correction_id`` of a correction."""

from typing import Any
from uuid import UUID

from ascension.analyses import lifecycle, workers
from ascension.logs import function_logger
from aws_lambda_powertools import Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = function_logger()
metrics = Metrics()
tracer = Tracer()


def begin(event: dict[str, Any]) -> dict[str, Any]:
    return {"proceed": lifecycle.begin(UUID(event["job_id"]), _correction(event))}


def hand_over(event: dict[str, Any]) -> dict[str, Any]:
    workers.hand_over(UUID(event["job_id"]), event["task_token"], event["work"], _correction(event))
    return {}


def staff(event: dict[str, Any]) -> dict[str, Any]:
    return {"started": workers.staff(event["leaving"])}


def progress(event: dict[str, Any]) -> dict[str, Any]:
    lifecycle.progress(UUID(event["job_id"]), event["stage"], event["fraction"], _correction(event))
    return {}


def complete(event: dict[str, Any]) -> dict[str, Any]:
    lifecycle.complete(UUID(event["job_id"]), _correction(event))
    return {}


def fail(event: dict[str, Any]) -> dict[str, Any]:
    logger.error("the analysis failed", extra={"error": event["error"]})
    problem = lifecycle.problem_of_execution(event["error"]["Error"])
    lifecycle.fail(UUID(event["job_id"]), problem, _correction(event))
    return {}


def _correction(event: dict[str, Any]) -> UUID | None:
    told = event.get("correction_id")
    return UUID(told) if told else None


TASKS = {step.__name__: step for step in (begin, hand_over, staff, progress, complete, fail)}


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    if "job_id" in event:
        logger.append_keys(job_id=event["job_id"])
    metrics.add_metric(name=f"{event['task']}_steps", unit=MetricUnit.Count, value=1)
    return TASKS[event["task"]](event)
