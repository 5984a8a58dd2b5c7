"""The REST API's function: API Gateway's event in, the application's answer out."""

from typing import Any

from ascension.accounts.signing import signing_keys
from ascension.logs import function_logger
from ascension_api.app import create_app
from aws_lambda_powertools import Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from mangum import Mangum
from mangum.types import LambdaContext

logger = function_logger()
metrics = Metrics()
tracer = Tracer()

# Without keys that deserve the name the function does not start.
signing_keys()

application = Mangum(
    create_app(),
    lifespan="off",
    api_gateway_base_path="/v1",
    text_mime_types=["text/", "application/json", "application/problem+json"],
)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    logger.append_keys(request_id=event["requestContext"].get("requestId"))
    answer = application(event, context)
    metrics.add_metric(name=f"Answers{answer['statusCode'] // 100}xx", unit=MetricUnit.Count, value=1)
    return answer
