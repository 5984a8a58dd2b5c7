"""What LocalStack's REST APIs lack: the binary media type `*/*`, which on AWS means every answer.

LocalStack (4.14) skips it, and a compressed answer of a function would leave as the base64 it came in.
"""

from __future__ import annotations

from localstack.runtime import hooks


@hooks.on_infra_start()
def answer_in_binary() -> None:
    from localstack.services.apigateway.next_gen.execute_api.integrations import aws

    matches = aws.mime_type_matches_binary_media_types

    def matches_or_all(mime_type: str | None, binary_media_types: list[str]) -> bool:
        return "*/*" in (binary_media_types or ()) or bool(matches(mime_type, binary_media_types))

    aws.mime_type_matches_binary_media_types = matches_or_all
