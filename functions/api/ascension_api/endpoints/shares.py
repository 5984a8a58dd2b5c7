"""Links to analyses: made by their owners, followed by whoever has them."""

from typing import Annotated
from uuid import UUID

from ascension.analyses import answers
from ascension.analyses.lifecycle import result_prefix
from ascension.analyses.problems import AnalysisChanging, AnalysisNotFound
from ascension.rate_limits import TooManyRequests
from ascension.settings import settings
from ascension.shares import service
from ascension.shares.problems import ShareNotFound, SharingNeedsPro, TooManyShares
from ascension.videos import storage
from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from pydantic import Field

from ascension_api import fields
from ascension_api.endpoints.analysis import AnalysisBody
from ascension_api.fields import Answer, Moment, a_number
from ascension_api.identity import AnalysisReader, AnalysisWriter
from ascension_api.openapi import problems
from ascension_api.representation import UNDER_WAY, represent
from ascension_api.throttle import follower

router = APIRouter(tags=["shares"])

Token = Annotated[str, Path(description="From the link.", examples=["Zk9zb2JlZTRlY2hvdXRvZmxpZ2h0b3ZlcnRoZXdhbGw"])]


class ShareRequest(fields.Request):
    expires_in_days: Annotated[int, Field(ge=1, le=service.MAX_DAYS), a_number] = service.DEFAULT_DAYS


class Share(Answer):
    id: UUID
    created_at: Moment
    expires_at: Moment


class NewShare(Share):
    """``token``, and ``url`` with it, are shown this once; we store only its hash."""

    url: str
    token: str


class Shares(Answer):
    items: list[Share]
    next_cursor: None = None


class SharedAnalysis(AnalysisBody):
    """What the owner sees, without what is only the owner's: the video, and the options with the climber's height.

    ``thumbnail_url`` holds as long as the link; null until the video has been analysed.
    """

    thumbnail_url: str | None


@router.post(
    "/analysis/{job_id:uuid}/shares",
    status_code=201,
    summary="Make a link that shows an analysis without sign-in (Pro)",
    responses=problems(AnalysisNotFound, SharingNeedsPro, TooManyShares),
)
def create(job_id: UUID, user: AnalysisWriter, body: ShareRequest | None = None) -> NewShare:
    share, token = service.create(user, job_id, (body or ShareRequest()).expires_in_days)
    return NewShare(**share, token=token, url=service.address(token))


@router.get(
    "/analysis/{job_id:uuid}/shares",
    summary="The links to an analysis, newest first",
    responses=problems(AnalysisNotFound),
)
def list_shares(job_id: UUID, user: AnalysisReader) -> Shares:
    return Shares(items=[Share.model_validate(row, from_attributes=False) for row in service.list_shares(user, job_id)])


@router.delete(
    "/analysis/{job_id:uuid}/shares/{share_id:uuid}",
    status_code=204,
    summary="Take a link back",
    responses=problems(ShareNotFound),
)
def revoke(job_id: UUID, share_id: UUID, user: AnalysisWriter) -> None:
    service.revoke(user, job_id, share_id)


@router.get(
    "/shared/{token}",
    response_model=SharedAnalysis,
    dependencies=[Depends(follower)],
    summary="The analysis that a link shows, without sign-in",
    responses={
        **problems(ShareNotFound, TooManyRequests, AnalysisChanging),
        303: {"description": "The answer is too large to be sent from here: it lies at Location for a short time."},
        304: {"description": "Unchanged since the answer whose ETag If-None-Match names."},
    },
)
def read(token: Token, request: Request, format: Annotated[answers.Format, Query()] = "compact") -> Response:
    shown = service.follow(token)
    analysis = shown.analysis
    tag = answers.tag(analysis, format)
    thumbnail = f"{settings().api_url}/shared/{token}/thumbnail" if shown.thumbnail_key else None
    head = {name: value for name, value in answers.summary(analysis, shown.metrics).items() if name in _SHOWN}
    return represent(
        request,
        tag=tag and f"{tag}-shared",
        # Asked for each time: a link that was taken back shows nothing any more.
        cache=UNDER_WAY,
        body=lambda: answers.enveloped({**head, "thumbnail_url": thumbnail}, analysis, format),
        overflow_prefix=f"{result_prefix(analysis['user_id'], analysis['id'])}answers/",
    )


@router.get(
    "/shared/{token}/thumbnail",
    status_code=303,
    response_class=Response,
    dependencies=[Depends(follower)],
    summary="The picture of the analysis that a link shows",
    responses={
        **problems(ShareNotFound, TooManyRequests),
        303: {"description": "The picture, a JPEG, lies at Location for a short time."},
    },
)
def thumbnail(token: Token) -> Response:
    key = service.follow(token).thumbnail_key
    if key is None:
        raise ShareNotFound
    headers = {"Location": storage.presigned_download(key), "Cache-Control": "no-store"}
    return Response(status_code=303, headers=headers)


_SHOWN = frozenset(SharedAnalysis.model_fields)
