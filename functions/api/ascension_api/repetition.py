"""``Idempotency-Key``: a request that is repeated with it is done once and answered alike for 24 hours."""

import re

from anyio.to_thread import run_sync
from ascension import idempotency
from ascension.accounts.tokens import bearer_token, hash_of, user_of_access_token
from ascension.idempotency import Remembered
from ascension.problems import Problem
from fastapi import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ascension_api.problem_answers import InvalidRequest, answer, request_id_of
from ascension_api.throttle import address_of

# Not /api-keys or an analysis's shares, whose answers we must not keep, for the key and the token are in them; nor what
# gives access tokens, for the same reason. By method and path, as the OpenAPI document names them.
ROUTES = frozenset(
    {
        ("POST", "/auth/register"),
        ("POST", "/analysis/request-upload"),
        ("POST", "/analysis/start"),
        ("POST", "/analysis/bulk"),
        ("PATCH", "/analysis/{job_id}/holds"),
    }
)
_PATHS = re.compile("|".join(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(" ".join(route))) for route in sorted(ROUTES)))
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class RepetitionGuard:
    """ASGI middleware; reads the body, which its surroundings have at hand already."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        guarded = scope["type"] == "http" and _PATHS.fullmatch(f"{scope['method']} {scope['path']}")
        if not guarded or (key := Request(scope).headers.get("idempotency-key")) is None:
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        try:
            if not _KEY.fullmatch(key):
                raise InvalidRequest("An Idempotency-Key has 1 to 255 visible ASCII characters, for example a UUID.")
            owner = _owner(request)
        except InvalidRequest as problem:
            await answer(problem, request_id_of(request))(scope, receive, send)
            return
        except Problem:
            # Who is nobody has nothing to repeat; the application says so.
            await self.app(scope, receive, send)
            return
        message = await receive()
        digest = idempotency.request_hash(scope["method"], scope["path"], message.get("body", b""))
        try:
            known = await run_sync(idempotency.begin, owner, key, digest)
        except Problem as problem:
            await answer(problem, request_id_of(request))(scope, receive, send)
            return
        if known == "first":
            await self._first(scope, message, receive, send, (owner, key))
        else:
            headers = {"Idempotency-Replayed": "true"}
            response = Response(known.body, known.status, headers, "application/json")
            await response(scope, receive, send)

    async def _first(
        self, scope: Scope, message: Message, receive: Receive, send: Send, claim: tuple[str, str]
    ) -> None:
        messages = [message]
        status = 0
        body = b""

        async def receive_again() -> Message:
            return messages.pop() if messages else await receive()

        async def send_noted(message: Message) -> None:
            nonlocal status, body
            if message["type"] == "http.response.start":
                status = message["status"]
            body += bytes(message.get("body", b""))
            # Before the client has it: an answer that was seen must be there when it is asked for again.
            if message["type"] == "http.response.body" and not message.get("more_body") and 200 <= status < 300:
                await run_sync(idempotency.finish, *claim, Remembered(status, body), scope["ascension.user_id"])
            await send(message)

        try:
            await self.app(scope, receive_again, send_noted)
        finally:
            if not 200 <= status < 300:
                await run_sync(idempotency.forget, *claim)


def _owner(request: Request) -> str:
    """Whose keys these are: two users' never meet.

    Raises:
        NotAuthenticated
    """
    if request.url.path == "/auth/register":
        return f"address:{address_of(request)}"
    if (api_key := request.headers.get("x-api-key")) is not None:
        return f"key:{hash_of(api_key).hex()}"
    return f"user:{user_of_access_token(bearer_token(request.headers.get('authorization')))}"
