"""The kinds of values that requests and answers are made of."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema


def iso8601(moment: datetime) -> str:
    """UTC with milliseconds and a Z: ``2026-11-21T10:05:32.123Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _printable(text: str) -> str:
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise ValueError("must not contain control characters")
    return text


def _number(value: Any) -> Any:
    # pydantic would take "1" and true for numbers.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number")
    return value


Moment = Annotated[
    datetime,
    PlainSerializer(iso8601, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
Text = Annotated[str, AfterValidator(_printable)]
WholeNumber = Annotated[int, BeforeValidator(_number)]
Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Flag = Annotated[bool, Field(strict=True)]


class Request(BaseModel):
    """A request's body. Fields we do not know are left alone, for a newer client may send them to an older API."""

    model_config = ConfigDict(extra="ignore")


class Answer(BaseModel):
    """An answer's body, made from whatever has the attributes."""

    model_config = ConfigDict(from_attributes=True)
