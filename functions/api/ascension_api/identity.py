"""Who is asking."""

from typing import Annotated

from ascension.accounts import service
from ascension.accounts.tokens import bearer_token, user_of_access_token
from ascension.accounts.user import User
from fastapi import Depends, Request
from fastapi.security import HTTPBearer

# Only describes the scheme in the OpenAPI document: the checks, and their answers, are ours.
_scheme = HTTPBearer(auto_error=False, scheme_name="accessToken", description="The access token that a login gives.")


def current_user(request: Request, _: Annotated[object, Depends(_scheme)]) -> User:
    """The user whose access token came with the request.

    Raises:
        NotAuthenticated: no token, no valid one, or its account is gone.
    """
    user = service.authenticated(user_of_access_token(bearer_token(request.headers.get("authorization"))))
    request.scope["ascension.user_id"] = str(user.id)
    return user


CurrentUser = Annotated[User, Depends(current_user)]
