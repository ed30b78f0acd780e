"""Checks of values as they are written in requests: one spelling for each value, within what can be stored."""

import re
from datetime import UTC, date, datetime
from typing import Any, TypeVar

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
# In addresses and forms numbers are text. Other forms that Python accepts (`01`, `+1`, `1_0`, ` 1`, digits of other
# scripts) would be second spellings of the same value, which caches, logs and limits treat as different.
_WHOLE = re.compile(r"0|[1-9]\d{0,18}", re.ASCII)
_AMOUNT = re.compile(r"\d{1,8}(\.\d{1,2})?", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
# No lesson is outside these years, and close to the years 1 and 9999 a day may not exist in another time zone.
_YEARS = range(2000, 2101)


def storable(text: str) -> str:
    """Text that PostgreSQL can store."""
    # PostgreSQL's text can contain neither. Surrogates come from JSON escapes like \ud83d.
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("must not hold a NUL character or half of a character")
    return text


def written_day(value: Any) -> Any:
    """A date by RFC 3339, and no other spelling."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("must be a date like 2026-01-31")
    return value


def written_instant(value: Any) -> Any:
    """The text of a moment, and no number."""
    # Otherwise numbers would be accepted too, as seconds or milliseconds depending on their size.
    if not isinstance(value, str) or not _DAY.match(value):
        raise ValueError("must be a time with its offset, like 2026-01-31T14:00:00+03:00")
    return value


Moment = TypeVar("Moment", bound=date)


def in_lesson_years(moment: Moment) -> Moment:
    """A moment in the years in which lessons are."""
    if moment.year not in _YEARS:
        raise ValueError(f"must be in the years {_YEARS.start} to {_YEARS.stop - 1}")
    return moment


def plausible(moment: datetime) -> datetime | None:
    """The moment in UTC; None outside the years in which lessons are: the clock of the device was wrong."""
    return in_utc(moment) if moment.year in _YEARS else None


def in_utc(instant: datetime) -> datetime:
    """The same moment in UTC."""
    # As the database returns it, so that the responses to POST and GET are equal.
    return instant.astimezone(UTC)


def written_whole(value: Any) -> Any:
    """A whole number in plain digits."""
    if isinstance(value, str) and not _WHOLE.fullmatch(value):
        raise ValueError("must be a whole number in plain digits, like 12")
    return value


def integral(value: Any) -> Any:
    """The whole number that a float of JSON is."""
    # In JSON 12.0 and 12 are the same number, and some clients send the former.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def written_amount(value: Any) -> Any:
    """An amount with at most two decimals."""
    if isinstance(value, str) and not _AMOUNT.fullmatch(value):
        raise ValueError("must be an amount like 150 or 149.50")
    return value


def written_uuid(value: Any) -> Any:
    """A UUID with its hyphens."""
    if isinstance(value, str) and not _UUID.fullmatch(value):
        raise ValueError("must be a UUID like 9f1c5d20-0000-4000-8000-000000000000")
    return value


def written_flag(value: Any) -> Any:
    """`true` or `false`."""
    if value not in ("true", "false") and not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value
