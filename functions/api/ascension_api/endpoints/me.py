"""The user's own account."""

from ascension.accounts import service
from fastapi import APIRouter

from ascension_api.endpoints.auth import UserAnswer
from ascension_api.fields import Answer, Moment
from ascension_api.identity import CurrentUser

router = APIRouter(prefix="/me", tags=["accounts"])


class UsageAnswer(Answer):
    analyses_this_month: int
    limit: int | None
    resets_at: Moment


class Profile(UserAnswer):
    usage: UsageAnswer


@router.get("", summary="Profile, tier and usage this month")
def profile(user: CurrentUser) -> Profile:
    usage = UsageAnswer.model_validate(service.usage(user))
    return Profile(**UserAnswer.model_validate(user).__dict__, usage=usage)


@router.delete("", status_code=204, summary="Delete the account and all of its data")
def delete_account(user: CurrentUser) -> None:
    """When the answer comes, everything is gone: rows, videos, results, thumbnails, connections."""
    service.delete_account(user)
