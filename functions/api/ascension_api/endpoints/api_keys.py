"""Enterprise customers' API keys."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from ascension.accounts import api_keys
from ascension.accounts.api_keys import SCOPES, Scope
from ascension.accounts.problems import ApiKeyNotFound, ExpiryHasPassed, NeedsEnterprise, TooManyApiKeys
from fastapi import APIRouter
from pydantic import AwareDatetime, Field

from ascension_api.fields import Answer, Moment, Request, Text
from ascension_api.identity import CurrentUser
from ascension_api.openapi import problems

router = APIRouter(prefix="/api-keys", tags=["enterprise"])


class KeyRequest(Request):
    name: Annotated[Text, Field(min_length=1, max_length=100, examples=["wall camera 3"])]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(SCOPES), default_factory=lambda: list(SCOPES))]
    expires_at: Annotated[AwareDatetime | None, Field(description="In the future. Left out: never.")] = None


class KeyAnswer(Answer):
    id: UUID
    name: str
    prefix: str
    scopes: list[Scope]
    created_at: Moment
    expires_at: Moment | None
    last_used_at: Moment | None


class NewKey(KeyAnswer):
    """``key`` is shown this once; we store only its hash."""

    key: str


class Keys(Answer):
    items: list[KeyAnswer]
    next_cursor: None = None


@router.post(
    "",
    status_code=201,
    summary="Make an API key (Enterprise)",
    responses=problems(NeedsEnterprise, TooManyApiKeys, ExpiryHasPassed),
)
def create(body: KeyRequest, user: CurrentUser) -> NewKey:
    if body.expires_at is not None and body.expires_at <= datetime.now(UTC):
        raise ExpiryHasPassed
    stored, key = api_keys.create(user, body.name, body.scopes, body.expires_at)
    return NewKey(**KeyAnswer.model_validate(stored).__dict__, key=key)


@router.get("", summary="The account's API keys, newest first")
def list_keys(user: CurrentUser) -> Keys:
    return Keys(items=[KeyAnswer.model_validate(key) for key in api_keys.list_keys(user)])


@router.delete("/{key_id:uuid}", status_code=204, summary="Revoke an API key", responses=problems(ApiKeyNotFound))
def revoke(key_id: UUID, user: CurrentUser) -> None:
    api_keys.revoke(user, key_id)
