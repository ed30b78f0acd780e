"""Types of values in requests, each bounded by what its column can store."""

from datetime import date, time
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from worker.api.http.written_values import (
    in_lesson_years,
    in_utc,
    integral,
    plausible,
    storable,
    written_amount,
    written_day,
    written_flag,
    written_instant,
    written_uuid,
    written_whole,
)

_MAX_UNKNOWN = 20
LARGEST_INTEGER = 2**31 - 1

_LOCAL_TIME = r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?$"
# A day in these years, for the API's description; it allows 29 February in every year.
DAY_PATTERN = (
    "(20[0-9]{2}|2100)-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])"
    "|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-9]))"
)


class Body(BaseModel):
    """The body of a request: an unknown field is an error, so that none is silently ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _few_fields(cls, value: Any) -> Any:
        # Each unknown field is a separate error, and creating thousands of them takes too long.
        most = len(cls.model_fields) + _MAX_UNKNOWN
        if isinstance(value, dict) and len(value) > most:
            raise ValueError(f"has {len(value)} fields, more than {most}")
        return value


class Document(BaseModel):
    """The body of a response, read from a row."""

    model_config = ConfigDict(from_attributes=True)


Words = Annotated[str, AfterValidator(storable)]
Day = Annotated[
    date,
    BeforeValidator(written_day),
    AfterValidator(in_lesson_years),
    WithJsonSchema({"type": "string", "format": "date", "pattern": f"^{DAY_PATTERN}$"}),
]
Instant = Annotated[
    AwareDatetime,
    BeforeValidator(written_instant),
    AfterValidator(in_lesson_years),
    AfterValidator(in_utc),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": f"^{DAY_PATTERN}"}),
]
# By the clock of a device, which repeats the same time with each attempt: None if that clock was wrong.
DeviceInstant = Annotated[
    AwareDatetime,
    BeforeValidator(written_instant),
    AfterValidator(plausible),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": f"^{DAY_PATTERN}"}),
]
# The format `time` of JSON Schema has an offset (RFC 3339); a local time has none.
LocalTime = Annotated[time, WithJsonSchema({"type": "string", "pattern": _LOCAL_TIME})]
# Use these after the bounds of a number; otherwise the description lacks its `minimum` and `maximum`.
AsText = BeforeValidator(written_whole)
AsJson = BeforeValidator(integral)
# Strict, so `true` and "5" are not numbers.
Number = Annotated[int, Field(strict=True, ge=1, le=LARGEST_INTEGER), AsJson]
RowId = Annotated[int, Field(ge=1, le=LARGEST_INTEGER), AsText, Path()]
FilterId = Annotated[int, Field(ge=1, le=LARGEST_INTEGER), AsText, Query()]
JobId = Annotated[UUID, BeforeValidator(written_uuid), Path()]
Flag = Annotated[bool, BeforeValidator(written_flag)]
# Ten digits with two decimals, which survive the conversion to a JSON number and back.
Price = Annotated[
    Decimal,
    BeforeValidator(written_amount),
    Field(ge=0, max_digits=10, decimal_places=2),
    AfterValidator(abs),  # no minus zero
    PlainSerializer(float, return_type=float, when_used="json"),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 99_999_999.99},
                {"type": "string", "pattern": r"^[0-9]{1,8}(\.[0-9]{1,2})?$"},
            ]
        }
    ),
]
