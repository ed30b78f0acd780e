"""Types of values in requests, each bounded by what its column can store."""

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, TypeVar
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

_MOST_UNKNOWN = 20
LARGEST_INTEGER = 2**31 - 1

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
# In addresses and forms numbers are text. Other forms that Python accepts (`01`, `+1`, `1_0`, ` 1`, digits of other
# scripts) would be second spellings of the same value, which caches, logs and limits treat as different.
_WHOLE = re.compile(r"0|[1-9]\d{0,18}", re.ASCII)
_AMOUNT = re.compile(r"\d{1,8}(\.\d{1,2})?", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_LOCAL_TIME = r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?$"
# No lesson is outside these years, and close to the years 1 and 9999 a day may not exist in another time zone.
_YEARS = range(2000, 2101)
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
        most = len(cls.model_fields) + _MOST_UNKNOWN
        if isinstance(value, dict) and len(value) > most:
            raise ValueError(f"has {len(value)} fields, more than {most}")
        return value


class Document(BaseModel):
    """The body of a response, read from a row."""

    model_config = ConfigDict(from_attributes=True)


def _storable(text: str) -> str:
    # PostgreSQL's text can contain neither. Surrogates come from JSON escapes like \ud83d.
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("must not hold a NUL character or half of a character")
    return text


def _written_day(value: Any) -> Any:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("must be a date like 2026-01-31")
    return value


def _written_instant(value: Any) -> Any:
    # Otherwise numbers would be accepted too, as seconds or milliseconds depending on their size.
    if not isinstance(value, str) or not _DAY.match(value):
        raise ValueError("must be a time with its offset, like 2026-01-31T14:00:00+03:00")
    return value


Moment = TypeVar("Moment", bound=date)


def _in_reach(moment: Moment) -> Moment:
    if moment.year not in _YEARS:
        raise ValueError(f"must be in the years {_YEARS.start} to {_YEARS.stop - 1}")
    return moment


def _in_utc(instant: datetime) -> datetime:
    # As the database returns it, so that the responses to POST and GET are equal.
    return instant.astimezone(UTC)


def _written_whole(value: Any) -> Any:
    if isinstance(value, str) and not _WHOLE.fullmatch(value):
        raise ValueError("must be a whole number in plain digits, like 12")
    return value


def _integral(value: Any) -> Any:
    # In JSON 12.0 and 12 are the same number, and some clients send the former.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _written_amount(value: Any) -> Any:
    if isinstance(value, str) and not _AMOUNT.fullmatch(value):
        raise ValueError("must be an amount like 150 or 149.50")
    return value


def _written_uuid(value: Any) -> Any:
    if isinstance(value, str) and not _UUID.fullmatch(value):
        raise ValueError("must be a UUID like 9f1c5d20-0000-4000-8000-000000000000")
    return value


def _written_flag(value: Any) -> Any:
    if value not in ("true", "false") and not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


Words = Annotated[str, AfterValidator(_storable)]
Day = Annotated[
    date,
    BeforeValidator(_written_day),
    AfterValidator(_in_reach),
    WithJsonSchema({"type": "string", "format": "date", "pattern": f"^{DAY_PATTERN}$"}),
]
Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_written_instant),
    AfterValidator(_in_reach),
    AfterValidator(_in_utc),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": f"^{DAY_PATTERN}"}),
]
# The format `time` of JSON Schema has an offset (RFC 3339); a local time has none.
LocalTime = Annotated[time, WithJsonSchema({"type": "string", "pattern": _LOCAL_TIME})]
# Use these after the bounds of a number; otherwise the description lacks its `minimum` and `maximum`.
AsText = BeforeValidator(_written_whole)
AsJson = BeforeValidator(_integral)
# Strict, so `true` and "5" are not numbers.
Number = Annotated[int, Field(strict=True, ge=1, le=LARGEST_INTEGER), AsJson]
RowId = Annotated[int, Field(ge=1, le=LARGEST_INTEGER), AsText, Path()]
FilterId = Annotated[int, Field(ge=1, le=LARGEST_INTEGER), AsText, Query()]
JobId = Annotated[UUID, BeforeValidator(_written_uuid), Path()]
Flag = Annotated[bool, BeforeValidator(_written_flag)]
# Ten digits with two decimals, which survive the conversion to a JSON number and back.
Price = Annotated[
    Decimal,
    BeforeValidator(_written_amount),
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
