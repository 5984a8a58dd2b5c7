"""What `*/*` among a REST API's binary media types means on AWS, and LocalStack leaves out.

There, every body is binary then: a function gets its request body as base64, and a base64 body that it answers with is
decoded whatever the client accepts. LocalStack skips wildcard types (`mime_type_matches_binary_media_types`), so that a
compressed answer would reach the client as base64 text.
"""

from __future__ import annotations

import base64
from typing import Any

EVERYTHING = "*/*"


def _takes_everything(context: Any) -> bool:
    return EVERYTHING in (context.deployment.rest_api.rest_api.get("binaryMediaTypes") or [])


def honour_every_type() -> None:
    """Teaches LocalStack's Lambda proxy integration the wildcard; once for the life of the process."""
    from localstack.services.apigateway.next_gen.execute_api.integrations import aws

    matches_one = aws.mime_type_matches_binary_media_types
    create_event = aws.RestApiAwsProxyIntegration.create_lambda_input_event

    def matches(mime_type: str | None, binary_media_types: list[str]) -> bool:
        return EVERYTHING in (binary_media_types or []) or matches_one(mime_type, binary_media_types)

    def create_lambda_input_event(self: Any, context: Any) -> Any:
        event = create_event(self, context)
        if event["body"] and not event["isBase64Encoded"] and _takes_everything(context):
            event["body"], event["isBase64Encoded"] = base64.b64encode(event["body"].encode()).decode(), True
        return event

    aws.mime_type_matches_binary_media_types = matches
    aws.RestApiAwsProxyIntegration.create_lambda_input_event = create_lambda_input_event
