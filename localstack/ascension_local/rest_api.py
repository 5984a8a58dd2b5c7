"""What LocalStack's REST APIs lack: binary answers of any type, and gateway responses as the template words them.

LocalStack (4.14) skips the binary media type `*/*`, which on AWS means every answer, and a compressed answer of a
function would leave as the base64 it came in. Of gateway responses it keeps the status code only, and of an imported
API's none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from localstack.runtime import hooks


@hooks.on_infra_start()
def answer_in_binary() -> None:
    from localstack.services.apigateway.next_gen.execute_api.integrations import aws

    matches = aws.mime_type_matches_binary_media_types

    def matches_or_all(mime_type: str | None, binary_media_types: list[str]) -> bool:
        return "*/*" in (binary_media_types or ()) or bool(matches(mime_type, binary_media_types))

    aws.mime_type_matches_binary_media_types = matches_or_all


@hooks.on_infra_start()
def answer_for_the_gateway() -> None:
    from localstack.services.apigateway.helpers import get_apigateway_store
    from localstack.services.apigateway.legacy import provider
    from localstack.services.apigateway.next_gen.execute_api.gateway_response import get_gateway_response_or_default
    from localstack.services.apigateway.next_gen.execute_api.handlers.gateway_exception import GatewayExceptionHandler
    from rolo import Response

    import_api = provider.import_api_from_openapi_spec

    def import_with_responses(rest_api: Any, context: Any, open_api_spec: dict[str, Any], mode: Any) -> Any:
        imported = import_api(rest_api, context=context, open_api_spec=open_api_spec, mode=mode)
        known: dict[Any, Any] = get_apigateway_store(context=context).rest_apis[rest_api.id].gateway_responses
        for kind, given in open_api_spec.get("x-amazon-apigateway-gateway-responses", {}).items():
            known[kind] = {**given, "responseType": kind, "defaultResponse": False}
        return imported

    provider.import_api_from_openapi_spec = import_with_responses
    plain = GatewayExceptionHandler.create_exception_response

    def worded(handler: Any, exception: Any, context: Any) -> Any:
        response = get_gateway_response_or_default(exception.type, context.deployment.rest_api.gateway_responses)
        if not response.get("responseParameters"):
            return plain(handler, exception, context)
        body, headers = rendered(response, context.context_variables)
        return Response(response=body, headers=headers, status=int(response.get("statusCode") or exception.status_code))

    GatewayExceptionHandler.create_exception_response = worded  # type: ignore[assignment, method-assign]


def rendered(response: Mapping[str, Any], variables: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Body and headers of a gateway response: literals, and ``context.…`` by name."""

    def value(match: re.Match[str]) -> str:
        return str(variables.get(match[1], ""))

    headers = {
        name.removeprefix("gatewayresponse.header."): given[1:-1]
        if given.startswith("'")
        else re.sub(r"^context\.(\w+)$", value, given)
        for name, given in response["responseParameters"].items()
    }
    template = response.get("responseTemplates", {}).get("application/json", "")
    return re.sub(r"\$context\.(\w+)", value, template), headers
