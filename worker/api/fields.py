"""The kinds of values that requests hold, each bounded by what its column can keep."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import Path
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

LARGEST_INTEGER = 2**31 - 1

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
# Instants outside do not belong to a lesson, and near year 1 or 9999 another zone's calendar has no such day.
_YEARS = range(2000, 2101)


class Body(BaseModel):
    """A request's body: a field that is not named here is an error, not a wish that is silently ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Document(BaseModel):
    """An answer's body, read from a row."""

    model_config = ConfigDict(from_attributes=True)


def _storable(text: str) -> str:
    # PostgreSQL's text holds neither. Halves of characters come from JSON escapes like \ud83d.
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("must not hold a NUL character or half of a character")
    return text


def _written_day(value: Any) -> Any:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("must be a date like 2026-01-31")
    return value


def _written_instant(value: Any) -> Any:
    # Otherwise numbers would be taken too, as seconds or milliseconds by their size.
    if not isinstance(value, str) or not _DAY.match(value):
        raise ValueError("must be a time with its offset, like 2026-01-31T14:00:00+03:00")
    return value


def _in_reach(instant: datetime) -> datetime:
    if instant.year not in _YEARS:
        raise ValueError(f"must be in the years {_YEARS.start} to {_YEARS.stop - 1}")
    # As the database gives it back, so that what a POST answers and what a GET answers are the same.
    return instant.astimezone(UTC)


Words = Annotated[str, AfterValidator(_storable)]
Day = Annotated[date, BeforeValidator(_written_day, json_schema_input_type=date)]
Instant = Annotated[
    AwareDatetime, BeforeValidator(_written_instant, json_schema_input_type=datetime), AfterValidator(_in_reach)
]
# `true` and "5" are not numbers.
Number = Annotated[int, Field(strict=True, ge=1, le=LARGEST_INTEGER)]
RowId = Annotated[int, Path(ge=1, le=LARGEST_INTEGER)]
# Ten digits, two of them behind the point: a JSON number holds that exactly enough to come back the same.
Price = Annotated[
    Decimal, Field(ge=0, max_digits=10, decimal_places=2), PlainSerializer(float, return_type=float, when_used="json")
]
