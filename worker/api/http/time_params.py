"""Days, instants and clock times in requests."""

import re
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Query
from pydantic import BeforeValidator, TypeAdapter, ValidationError

from worker.api.http.fields import DAY_PATTERN, Day, Instant, LocalTime, Words
from worker.errors import InvalidInput

_TIME_PATTERN = "T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](Z|[+-](0[0-9]|1[0-3]):[0-5][0-9])"
_AS_MOMENT: dict[str, Any] = {"pattern": f"^{DAY_PATTERN}({_TIME_PATTERN})?$"}

From = Annotated[
    Words,
    Query(
        alias="from",
        min_length=10,
        max_length=40,
        description="First day, or an instant with its offset.",
        json_schema_extra=_AS_MOMENT,
        examples=["2026-01-31"],
    ),
]
To = Annotated[
    Words,
    Query(
        alias="to",
        min_length=10,
        max_length=40,
        description="Last day (included), or an instant (not included).",
        json_schema_extra=_AS_MOMENT,
    ),
]

_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?", re.ASCII)
# An unescaped plus sign in a query arrives as a space.
_LOST_PLUS = re.compile(r"(?<=\d) (?=\d\d:\d\d$)")
_DAY: TypeAdapter[date] = TypeAdapter(Day)
_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)


def _written_clock(value: Any) -> Any:
    if not isinstance(value, str) or not _CLOCK.fullmatch(value):
        raise ValueError("must be a local time like 14:30 or 14:30:00")
    return value


Clock = Annotated[LocalTime, BeforeValidator(_written_clock)]


def moment(name: str, text: str) -> date | datetime:
    """Parse a day, or an instant with its offset. Raises InvalidInput, which names the parameter."""
    try:
        return _DAY.validate_python(text) if len(text) == 10 else _INSTANT.validate_python(_LOST_PLUS.sub("+", text))
    except ValidationError as error:
        forms = "a day like 2026-01-31, or an instant like 2026-01-31T14:00:00Z, in the years 2000 to 2100"
        raise InvalidInput(f"`{name}` must be {forms}.") from error
