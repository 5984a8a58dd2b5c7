"""S3 upload events from the queue: an uploaded video starts the analyses that wait for it, a model is looked at."""

import json
from typing import Any
from urllib.parse import unquote_plus

from ascension.analyses.lifecycle import upload_arrived
from ascension.logs import function_logger
from ascension.models import service as models
from aws_lambda_powertools import Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = function_logger()
metrics = Metrics()
tracer = Tracer()
processor = BatchProcessor(event_type=EventType.SQS)


def ingest(record: SQSRecord) -> None:
    """One queue message; a message that raises goes back to the queue alone."""
    message = json.loads(record.body)
    if message.get("Event") == "s3:TestEvent":  # what S3 says when the notification is set up
        return
    for event in message["Records"]:
        stored = event["s3"]["object"]
        key = unquote_plus(stored["key"])
        if key.startswith(models.PREFIX):
            models.arrived(key)
            continue
        jobs = upload_arrived(key, stored["size"])
        logger.info("video arrived", extra={"size_bytes": stored["size"], "job_ids": [str(job) for job in jobs]})


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    metrics.add_metric(name="UploadMessages", unit=MetricUnit.Count, value=len(event["Records"]))
    return process_partial_response(event=event, record_handler=ingest, processor=processor, context=context)
