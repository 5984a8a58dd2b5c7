"""Enterprise customers' own networks."""

from typing import Annotated, Literal
from uuid import UUID

from ascension.accounts.problems import NeedsEnterprise
from ascension.database import Row
from ascension.models import service
from ascension.models.problems import ModelNotFound, ModelTooLarge
from ascension.models.service import Kind
from fastapi import APIRouter
from pydantic import Field

from ascension_api.endpoints.analysis import UploadTarget
from ascension_api.fields import Answer, Moment, Request, a_number
from ascension_api.identity import CurrentUser
from ascension_api.openapi import problems

router = APIRouter(prefix="/models", tags=["enterprise"])


class ModelRequest(Request):
    file_size_bytes: Annotated[
        int,
        Field(ge=1, le=2**53, examples=[7_340_032], json_schema_extra={"maximum": service.MAX_BYTES}),
        a_number,
    ]


class Model(Answer):
    """``problem`` says why it was rejected. ``in_use``: whether the account's next analyses are made with it."""

    id: UUID
    kind: Kind
    status: Literal["awaiting-upload", "validated", "rejected"]
    in_use: bool
    file_size_bytes: int
    problem: str | None
    tensors: int | None
    parameters: int | None
    created_at: Moment
    validated_at: Moment | None


class AnnouncedModel(Answer):
    model: Model
    upload: UploadTarget


class Models(Answer):
    items: list[Model]
    next_cursor: None = None


@router.put(
    "/{kind}",
    summary="Upload a model of one's own, as safetensors (Enterprise)",
    responses=problems(NeedsEnterprise, ModelTooLarge),
)
def announce(kind: Kind, body: ModelRequest, user: CurrentUser) -> AnnouncedModel:
    """It takes the place of the model of this kind before. Once it has been validated, the account's analyses are made
    with it. Only safetensors files are accepted, a pose model's with its config.json in the header's metadata, named
    config; GET /models tells."""
    upload = service.announce(user, kind, body.file_size_bytes)
    target = UploadTarget(url=upload.url, headers=upload.headers, expires_in=upload.expires_in)
    return AnnouncedModel(model=_model(upload.model), upload=target)


@router.get("", summary="The account's models, and whether they were accepted", responses=problems(NeedsEnterprise))
def list_models(user: CurrentUser) -> Models:
    return Models(items=[_model(row) for row in service.list_models(user)])


@router.delete(
    "/{kind}",
    status_code=204,
    summary="Remove a model: analyses are made with the built-in one again (Enterprise)",
    responses=problems(NeedsEnterprise, ModelNotFound),
)
def remove(kind: Kind, user: CurrentUser) -> None:
    service.remove(user, kind)


def _model(row: Row) -> Model:
    return Model(**{**row, "file_size_bytes": row["size_bytes"], "in_use": row["status"] == "validated"})
