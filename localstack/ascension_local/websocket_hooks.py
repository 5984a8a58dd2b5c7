"""Puts the WebSocket APIs and the distributions on LocalStack's gateway when it is ready.

Both sit in front of LocalStack's CORS enforcement: a browser's Origin header and preflight requests are for the
functions behind API Gateway to judge, as on AWS, and not for LocalStack.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from botocore.config import Config
from localstack.aws.connect import connect_to
from localstack.aws.handlers import preprocess_request
from localstack.runtime import hooks

from ascension_local.distribution import Distributions, EdgeHandler
from ascension_local.websocket import Invocation, WebSocketGateway
from ascension_local.websocket_api import ApiRegistry

LOG = logging.getLogger(__name__)

APIS = ApiRegistry()

# A function may run for 15 minutes; nothing is asked twice.
_PATIENT = Config(read_timeout=900, retries={"total_max_attempts": 1}, max_pool_connections=50)


def invoke_function(function_arn: str, event: dict[str, Any]) -> Invocation:
    """Calls a function through LocalStack's own Lambda service and waits for its answer."""
    parts = function_arn.split(":")
    client = connect_to(region_name=parts[3], aws_access_key_id=parts[4], config=_PATIENT).lambda_
    try:
        outcome = client.invoke(FunctionName=function_arn, Payload=json.dumps(event).encode())
        payload = json.loads(outcome["Payload"].read() or b"null")
    except Exception as error:
        LOG.warning("Calling %s failed", function_arn, exc_info=True)
        return Invocation(error=str(error))
    if "FunctionError" in outcome:
        return Invocation(error=str(payload.get("errorMessage")) if isinstance(payload, dict) else str(payload))
    return Invocation(answer=payload)


GATEWAY = WebSocketGateway(APIS, invoke_function)
DISTRIBUTIONS = Distributions(GATEWAY)


@hooks.on_infra_ready(priority=100)  # type: ignore[untyped-decorator]
def mount() -> None:
    """Called by LocalStack once its gateway accepts requests, before it calls itself ready."""
    preprocess_request.handlers.insert(0, EdgeHandler(GATEWAY, DISTRIBUTIONS))
