"""The kinds of values that requests and answers are made of."""

from datetime import datetime
from typing import Annotated, Any

from ascension.times import iso8601
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema


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
# Last in an Annotated, so that the bounds before it stay those of the number, and show in the OpenAPI document.
a_number = BeforeValidator(_number)
Text = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$")]
Flag = Annotated[bool, Field(strict=True)]


class Request(BaseModel):
    """A request's body. Fields we do not know are left alone, for a newer client may send them to an older API."""

    model_config = ConfigDict(extra="ignore")


class Answer(BaseModel):
    """An answer's body, made from whatever has the attributes."""

    model_config = ConfigDict(from_attributes=True)
