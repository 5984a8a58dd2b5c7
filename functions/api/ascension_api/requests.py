"""What surrounds every request: its id, a limit on its size, headers no answer may lack, and a net under it all."""

import logging
import re
import time
from uuid import uuid4

from ascension.problems import Problem
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ascension_api.problem_answers import BodyTooLarge, answer

log = logging.getLogger("ascension.api")

MAX_BODY_BYTES = 256 * 1024
# A link's token opens what it shows: it is not for logs.
_TOKEN_IN_PATH = re.compile(r"(?<=^/shared/)[^/]+")
_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")

_SAFETY = {
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=31536000",
    "Referrer-Policy": "no-referrer",
}


class RequestFrame:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.monotonic()
        request_id = scope["ascension.request_id"] = _request_id(scope)
        status = 0

        async def send_framed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                for name, value in _SAFETY.items():
                    headers[name] = value
                # What a user sees is that user's alone, and true only now, unless the endpoint says otherwise.
                headers.setdefault("Cache-Control", "no-store")
                if level := scope.get("ascension.rate_level"):
                    for name, value in level.headers().items():
                        headers.setdefault(name, value)
            await send(message)

        try:
            await self.app(scope, _replayed(await _body(receive)), send_framed)
        except Exception as error:
            if status:
                raise
            problem = error if isinstance(error, Problem) else Problem()
            if problem is not error:
                log.exception("a request failed")
            await answer(problem, request_id)(scope, receive, send_framed)
        # The path without its query string: a cursor is of no interest, and who knows what else may be in it.
        log.info(
            "answered",
            extra={
                "method": scope["method"],
                "path": _TOKEN_IN_PATH.sub("…", scope["path"]),
                "status": status,
                "duration_ms": round((time.monotonic() - started) * 1000, 1),
                "user_id": scope.get("ascension.user_id"),
            },
        )


def _request_id(scope: Scope) -> str:
    """API Gateway's id, so that its logs and ours can be joined; else one of our own."""
    context = scope.get("aws.event", {}).get("requestContext", {})
    given = context.get("requestId")
    return given if isinstance(given, str) and _ACCEPTABLE_ID.fullmatch(given) else str(uuid4())


async def _body(receive: Receive) -> bytes:
    """The whole body, which Lambda has at once anyway.

    Raises:
        BodyTooLarge
    """
    body: bytes = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if len(body) > MAX_BODY_BYTES:
            raise BodyTooLarge
        if not message.get("more_body"):
            return body


def _replayed(body: bytes) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive
