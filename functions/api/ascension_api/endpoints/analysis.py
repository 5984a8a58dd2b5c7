"""Requesting an upload, starting analyses and reading them."""

from typing import Annotated, Any, Literal
from uuid import UUID

from ascension.accounts.problems import NeedsEnterprise
from ascension.accounts.user import User
from ascension.analyses import answers, comparison, corrections, service
from ascension.analyses.lifecycle import result_prefix
from ascension.analyses.problems import (
    AnalysisChanging,
    AnalysisNotCompleted,
    AnalysisNotFound,
    CorrectionRunning,
    GhostNeedsPro,
    InvalidCorrection,
    MonthlyQuotaReached,
)
from ascension.pages import MalformedCursor
from ascension.problems import Problem
from ascension.videos import service as videos
from ascension.videos.problems import UnsupportedVideoType, VideoNotFound, VideoTooLarge, VideoTooLong
from fastapi import APIRouter, Query
from fastapi import Request as HttpRequest
from fastapi.responses import Response
from pydantic import ConfigDict, Field

from ascension_api.fields import Answer, Flag, Request, Text, a_number
from ascension_api.identity import AnalysisReader, AnalysisWriter, VideoWriter
from ascension_api.openapi import problems
from ascension_api.paging import Cursor, Limit
from ascension_api.representation import KEPT_UNTIL_CORRECTED, UNDER_WAY, represent

router = APIRouter(prefix="/analysis", tags=["analysis"])


class ClimberHint(Request):
    """Where the climber is who is meant: x and y from 0 to 1 of the upright frame, at t seconds."""

    model_config = ConfigDict(extra="forbid")

    x: Annotated[float, Field(ge=0, le=1), a_number]
    y: Annotated[float, Field(ge=0, le=1), a_number]
    t: Annotated[float, Field(ge=0, le=86_400), a_number]


class Options(Request):
    """How to analyse. A misspelt option is refused rather than quietly ignored."""

    model_config = ConfigDict(extra="forbid")

    generate_ghost: Annotated[
        Flag | None, Field(description="Left out: true on Pro and Enterprise, false on Free.", examples=[False])
    ] = None
    detect_holds: Flag = True
    climber_height_cm: Annotated[float, Field(ge=50, le=250, examples=[176]), a_number] | None = None
    wall_angle_deg: (
        Annotated[
            float, Field(ge=-90, le=90, description="0 is vertical, positive overhangs.", examples=[15]), a_number
        ]
        | None
    ) = None
    climber_hint: ClimberHint | None = None

    def requested(self) -> service.RequestedOptions:
        """The options as the domain takes them."""
        hint = self.climber_hint
        return service.RequestedOptions(
            generate_ghost=self.generate_ghost,
            detect_holds=self.detect_holds,
            climber_height_cm=self.climber_height_cm,
            wall_angle_deg=self.wall_angle_deg,
            climber_hint=(hint.x, hint.y, hint.t) if hint else None,
        )


class StartWithUpload(Request):
    options: Options | None = None


class UploadRequest(Request):
    filename: Annotated[Text, Field(min_length=1, max_length=255, examples=["climb.mp4"])]
    content_type: Annotated[
        Text,
        Field(
            min_length=1,
            max_length=100,
            examples=["video/mp4"],
            json_schema_extra={"pattern": f"^({'|'.join(videos.CONTENT_TYPES)})(; ?[!-~]+)?$"},
        ),
    ]
    file_size_bytes: Annotated[
        int,
        Field(ge=0, le=2**53, examples=[12_345_678], json_schema_extra={"maximum": videos.MAX_BYTES}),
        a_number,
    ]
    duration_seconds: (
        Annotated[
            float,
            Field(ge=0, le=1e9, examples=[28.5], json_schema_extra={"maximum": videos.MAX_SECONDS}),
            a_number,
        ]
        | None
    ) = None
    start: Annotated[
        StartWithUpload | None, Field(description="Start the analysis as soon as the bytes have arrived.")
    ] = None


class UploadTarget(Answer):
    method: Literal["PUT"] = "PUT"
    url: str
    headers: dict[str, str]
    expires_in: int


class UploadAnswer(Answer):
    video_id: UUID
    job_id: UUID | None
    upload: UploadTarget


class StartRequest(Request):
    video_id: UUID
    options: Options | None = None


class Status(Answer):
    job_id: UUID
    status: Literal["pending", "processing", "completed", "failed"]


class BulkItem(Request):
    video_id: UUID
    options: Options | None = None


class BulkRequest(Request):
    items: Annotated[list[BulkItem], Field(min_length=1, max_length=100)]


class Error(Answer):
    type: str
    title: str
    detail: str


class BulkOutcome(Answer):
    """Either ``job_id`` and ``status``, or the ``error`` why there is none."""

    video_id: UUID
    job_id: UUID | None = None
    status: Literal["pending", "processing", "completed", "failed"] | None = None
    error: Error | None = None


class BulkAnswer(Answer):
    """One outcome for each item, in their order."""

    items: list[BulkOutcome]


class Progress(Answer):
    stage: str
    fraction: float


class AnalysisFacts(Answer):
    """What of an analysis may be seen by whoever it is shown to."""

    id: UUID
    status: Literal["pending", "processing", "completed", "failed"]
    revision: Annotated[int, Field(description="How many corrections of the holds led to the result.")]
    created_at: Annotated[str, Field(json_schema_extra={"format": "date-time"})]
    started_at: Annotated[str | None, Field(json_schema_extra={"format": "date-time"})]
    completed_at: Annotated[str | None, Field(json_schema_extra={"format": "date-time"})]
    processing_time_ms: int | None
    progress: Progress
    error: Annotated[
        Error | None, Field(description="Of a completed analysis: why the last correction came to nothing.")
    ]
    metrics: dict[str, float | None] | None
    metrics_info: dict[str, dict[str, Any]] | None


class AnalysisBody(AnalysisFacts):
    """``result`` is null until the analysis is completed; docs/result-format.md describes it."""

    result: dict[str, Any] | None


class AnalysisSummary(AnalysisFacts):
    video_id: UUID
    options: dict[str, Any]


class Analysis(AnalysisBody, AnalysisSummary):
    """``result`` is null until the analysis is completed; docs/result-format.md describes it."""


class AnalysisPage(Answer):
    items: list[AnalysisSummary]
    next_cursor: str | None


class MetricChange(Answer):
    """``values``: of the one and the other analysis. ``change`` from the one to the other, null where it is not known.

    ``uncertainty``: half the width of the interval that holds the true change in nine of ten cases. ``meaningful``:
    whether the change is larger than that; null where one of the uncertainties is not known.
    """

    unit: str | None
    values: Annotated[list[float | None], Field(min_length=2, max_length=2)]
    change: float | None
    uncertainty: float | None
    meaningful: bool | None


class Comparison(Answer):
    """``same_wall`` is null where it cannot be told."""

    analyses: Annotated[list[UUID], Field(min_length=2, max_length=2)]
    same_wall: bool | None
    metrics: dict[str, MetricChange]


Side = Annotated[float, Field(ge=-10, le=10), a_number]
Box = Annotated[
    list[Side],
    Field(
        min_length=4,
        max_length=4,
        description="Left, top, right, bottom, from 0 to 1 of the reference frame; a panned clip's goes beyond.",
        examples=[[0.4, 0.3, 0.45, 0.33]],
    ),
]
HoldId = Annotated[int, Field(ge=0, le=2**31 - 1, examples=[7]), a_number]
HoldKind = Literal["hold", "volume"]
HoldType = Literal["jug", "crimp", "sloper", "pinch", "pocket", "edge", "foothold", "volume", "unknown"]


class _Change(Request):
    model_config = ConfigDict(extra="forbid")


class AddHold(_Change):
    action: Literal["add"]
    box: Box
    kind: HoldKind | None = None
    type: HoldType | None = None


class MoveHold(_Change):
    action: Literal["move"]
    hold_id: HoldId
    box: Box


class RetypeHold(_Change):
    action: Literal["retype"]
    hold_id: HoldId
    type: HoldType
    kind: HoldKind | None = None


class DeleteHold(_Change):
    action: Literal["delete"]
    hold_id: HoldId


class HoldChanges(Request):
    changes: Annotated[
        list[Annotated[AddHold | MoveHold | RetypeHold | DeleteHold, Field(discriminator="action")]],
        Field(min_length=1, max_length=corrections.MOST_CHANGES),
    ]


class CorrectionStatus(Answer):
    """``revision`` is the one that the analysis has once the correction is carried out."""

    job_id: UUID
    status: Literal["processing"]
    revision: int


@router.post(
    "/request-upload",
    status_code=201,
    summary="Announce a video and get an address to send it to",
    responses=problems(UnsupportedVideoType, VideoTooLarge, VideoTooLong, GhostNeedsPro, MonthlyQuotaReached),
)
def request_upload(body: UploadRequest, user: VideoWriter) -> UploadAnswer:
    upload = videos.request_upload(
        user,
        filename=body.filename,
        content_type=body.content_type,
        size_bytes=body.file_size_bytes,
        duration_s=body.duration_seconds,
        start=(body.start.options or Options()).requested() if body.start else None,
    )
    return UploadAnswer(
        video_id=upload.video_id,
        job_id=upload.job_id,
        upload=UploadTarget(url=upload.url, headers=upload.headers, expires_in=upload.expires_in),
    )


@router.post(
    "/start",
    status_code=202,
    summary="Start the analysis of a video, before or after its upload",
    responses=problems(VideoNotFound, GhostNeedsPro, MonthlyQuotaReached),
)
def start(body: StartRequest, user: AnalysisWriter) -> Status:
    """The same video and options give the same job, unless it has failed."""
    job = service.start(user, body.video_id, (body.options or Options()).requested())
    return Status.model_validate({"job_id": job.id, "status": job.status})


@router.post(
    "/bulk", status_code=202, summary="Start up to 100 analyses (Enterprise)", responses=problems(NeedsEnterprise)
)
def start_many(body: BulkRequest, user: AnalysisWriter) -> BulkAnswer:
    """Each item has an outcome of its own; an item that cannot be started keeps no other from starting."""
    if user.subscription_tier != "enterprise":
        raise NeedsEnterprise
    return BulkAnswer(items=[_outcome(user, item) for item in body.items])


@router.get("", summary="The user's analyses, newest first", responses=problems(MalformedCursor))
def page(user: AnalysisReader, cursor: Cursor = None, limit: Limit = 20) -> AnalysisPage:
    found, next_cursor = service.page(user, cursor, limit)
    items = [AnalysisSummary.model_validate(answers.summary(*each)) for each in found]
    return AnalysisPage(items=items, next_cursor=next_cursor)


@router.get(
    "/{job_id:uuid}",
    response_model=Analysis,
    summary="An analysis: where it is, and its result",
    responses={
        **problems(AnalysisNotFound, AnalysisChanging),
        303: {"description": "The answer is too large to be sent from here: it lies at Location for a short time."},
        304: {"description": "Unchanged since the answer whose ETag If-None-Match names."},
    },
)
def read(
    job_id: UUID, request: HttpRequest, user: AnalysisReader, format: Annotated[answers.Format, Query()] = "compact"
) -> Response:
    analysis, metrics = service.find(user, job_id)
    return represent(
        request,
        tag=answers.tag(analysis, format),
        cache=KEPT_UNTIL_CORRECTED if analysis["status"] in ("completed", "failed") else UNDER_WAY,
        body=lambda: answers.document(analysis, metrics, format),
        overflow_prefix=f"{result_prefix(user.id, job_id)}answers/",
    )


@router.patch(
    "/{job_id:uuid}/holds",
    status_code=202,
    summary="Set holds right; contacts, Ghost and metrics are computed anew",
    responses=problems(AnalysisNotFound, AnalysisNotCompleted, CorrectionRunning, InvalidCorrection),
)
def correct_holds(job_id: UUID, body: HoldChanges, user: AnalysisWriter) -> CorrectionStatus:
    """All changes are carried out, in their order, or none. The analysis is processing until they are, then completed
    with another revision and ETag. Where a change names a hold that there is not, it is completed again as it was, and
    ``error`` says so. It costs no quota."""
    changes = [change.model_dump(exclude_none=True) for change in body.changes]
    return CorrectionStatus.model_validate(corrections.correct(user, job_id, changes))


@router.get(
    "/{job_id:uuid}/compare/{other:uuid}",
    summary="The metrics of two analyses side by side",
    responses=problems(AnalysisNotFound, AnalysisNotCompleted),
)
def compare(job_id: UUID, other: UUID, user: AnalysisReader) -> Comparison:
    return Comparison.model_validate(comparison.compare(user, job_id, other))


def _outcome(user: User, item: BulkItem) -> BulkOutcome:
    try:
        job = service.start(user, item.video_id, (item.options or Options()).requested())
    except Problem as problem:
        return BulkOutcome(video_id=item.video_id, error=Error.model_validate(problem))
    return BulkOutcome.model_validate({"video_id": item.video_id, "job_id": job.id, "status": job.status})
