"""Who is asking, and whether they may."""

from collections.abc import Callable
from typing import Annotated

from ascension.accounts import api_keys, service
from ascension.accounts.api_keys import Scope
from ascension.accounts.tokens import bearer_token, user_of_access_token
from ascension.accounts.user import User
from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPBearer

from ascension_api.throttle import note

# These only describe the schemes in the OpenAPI document: the checks, and their answers, are ours.
_token_scheme = HTTPBearer(auto_error=False, scheme_name="accessToken", description="What a login gives.")
_key_scheme = APIKeyHeader(
    name="X-API-Key", auto_error=False, scheme_name="apiKey", description="An Enterprise customer's API key."
)


def current_user(request: Request, _: Annotated[object, Depends(_token_scheme)]) -> User:
    """The user whose access token came with the request.

    Raises:
        NotAuthenticated: no token, no valid one, or its account is gone.
        TooManyRequests
    """
    user_id = user_of_access_token(bearer_token(request.headers.get("authorization")))
    user, level = service.authenticated(user_id)
    note(request, level)
    return _noted(request, user)


def with_scope(scope: Scope) -> Callable[..., User]:
    """A dependency: the user whose access token came with the request, or whose API key has this scope.

    Raises:
        NotAuthenticated, InvalidApiKey, ScopeMissing, TooManyRequests
    """

    def user(
        request: Request, token: Annotated[object, Depends(_token_scheme)], _: Annotated[object, Depends(_key_scheme)]
    ) -> User:
        key = request.headers.get("x-api-key")
        if key is None:
            return current_user(request, token)
        owner, level = api_keys.user_of(key, scope)
        note(request, level)
        return _noted(request, owner)

    return user


def _noted(request: Request, user: User) -> User:
    request.scope["ascension.user_id"] = str(user.id)
    return user


# Only people may change an account; their servers read and write analyses and videos.
CurrentUser = Annotated[User, Depends(current_user)]
AnalysisReader = Annotated[User, Depends(with_scope("analysis:read"))]
AnalysisWriter = Annotated[User, Depends(with_scope("analysis:write"))]
VideoReader = Annotated[User, Depends(with_scope("videos:read"))]
VideoWriter = Annotated[User, Depends(with_scope("videos:write"))]
