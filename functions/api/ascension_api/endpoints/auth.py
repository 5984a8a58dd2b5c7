"""Registering, logging in and out."""

import re
from typing import Annotated
from uuid import UUID

from ascension.accounts import service
from ascension.accounts.passwords import DIFFERENT, MAX_LENGTH, MIN_LENGTH
from ascension.accounts.problems import EmailTaken, InvalidRefreshToken, WeakPassword, WrongCredentials
from ascension.accounts.user import Tier
from ascension.rate_limits import TooManyRequests
from fastapi import APIRouter, Depends
from fastapi import Request as HttpRequest
from pydantic import AfterValidator, Field

from ascension_api import throttle
from ascension_api.fields import Answer, Moment, Request, Text
from ascension_api.openapi import problems

router = APIRouter(
    prefix="/auth", tags=["accounts"], dependencies=[Depends(throttle.by_address)], responses=problems(TooManyRequests)
)

# Whether an address exists only a mail to it can tell; this refuses what certainly is none. ECMA understands it too.
_BEYOND_ASCII = r"\u00a1-\u167f\u1681-\u1fff\u2030-\u205e\u2060-\u2fff\u3001-\ufefe\uff00-\uffff"  # no spaces
_ADDRESS = (
    rf"^ *[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~{_BEYOND_ASCII}-]{{1,64}}"
    rf"@[A-Za-z0-9{_BEYOND_ASCII}-]+(\.[A-Za-z0-9{_BEYOND_ASCII}-]+)+ *$"
)


def _address(email: str) -> str:
    if not re.fullmatch(_ADDRESS, email):
        raise ValueError("must be an e-mail address")
    return email


class Registration(Request):
    email: Annotated[
        Text,
        Field(
            max_length=254,
            examples=["mila@example.org"],
            json_schema_extra={"pattern": _ADDRESS},
        ),
        AfterValidator(_address),
    ]
    # How good it must be is the domain's business, so that its answer can say what to do.
    password: Annotated[
        str,
        Field(
            max_length=1024,
            examples=["three blue volumes"],
            json_schema_extra={"minLength": MIN_LENGTH, "maxLength": MAX_LENGTH, "pattern": DIFFERENT},
        ),
    ]


class Credentials(Request):
    email: Annotated[Text, Field(max_length=254, examples=["mila@example.org"])]
    password: Annotated[str, Field(max_length=1024, examples=["three blue volumes"])]


class RefreshToken(Request):
    refresh_token: Annotated[str, Field(min_length=1, max_length=256)]


class UserAnswer(Answer):
    id: UUID
    email: str
    subscription_tier: Tier
    created_at: Moment


class Registered(Answer):
    user: UserAnswer


class TokenPair(Answer):
    access_token: str
    refresh_token: str
    token_type: str = "bearer"  # noqa: S105
    expires_in: int


@router.post("/register", status_code=201, summary="Open an account", responses=problems(EmailTaken, WeakPassword))
def register(registration: Registration, request: HttpRequest) -> Registered:
    user = service.register(registration.email, registration.password)
    request.scope["ascension.user_id"] = str(user.id)
    return Registered(user=UserAnswer.model_validate(user))


@router.post("/login", summary="Open a session", responses=problems(WrongCredentials))
def login(credentials: Credentials, request: HttpRequest) -> TokenPair:
    throttle.login_attempt(request, service.normalised(credentials.email))
    return TokenPair.model_validate(service.login(credentials.email, credentials.password))


@router.post("/refresh", summary="Exchange a refresh token for a new pair", responses=problems(InvalidRefreshToken))
def refresh(token: RefreshToken) -> TokenPair:
    return TokenPair.model_validate(service.refresh(token.refresh_token))


@router.post("/logout", status_code=204, summary="End a session")
def logout(token: RefreshToken) -> None:
    service.logout(token.refresh_token)
