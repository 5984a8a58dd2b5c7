"""Once a minute: what got lost is found again, what is past its time goes."""

from typing import Any

from ascension.analyses.repair import repair
from ascension.logs import function_logger
from aws_lambda_powertools import Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = function_logger()
metrics = Metrics()
tracer = Tracer()


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    done = repair()
    for name, count in done.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=count)
    if any(done.values()):
        logger.info("repaired", extra=done)
    return done
