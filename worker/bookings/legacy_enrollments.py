"""The bookings that a row of the older table `tutor_student_enrollments` stands for. None of its values is trusted."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypedDict

from worker.bookings.frequency import sessions_per_week
from worker.bookings.statuses import check_dates
from worker.errors import InvalidInput

_LONGEST_SUBJECT = 200
_MOST_SUBJECTS = 50
_LONGEST_SHOWN = 40
_LONGEST_NOTE = 500
_MINUTES_OF_A_DAY = 24 * 60
# Numeric(10, 2).
_MOST_MONEY = Decimal("99999999.99")


@dataclass(frozen=True)
class EnrollmentRow:
    """A row as it was read. `subjects` is JSON text; None in any column: NULL."""

    id: int
    tutor_id: int
    student_id: int
    subjects: str | None
    start_date: str | None
    end_date: str | None
    session_frequency: str | None
    session_duration: int | None
    hourly_rate: float | None
    status: str | None
    is_active: bool | None


class _EnrollmentColumns(TypedDict):
    """Columns that all bookings of a row share."""

    tutor_id: int
    student_id: int
    enrollment_id: int
    start_date: date | None
    end_date: date | None
    sessions_per_week: int | None
    session_duration: int | None
    price_per_session: Decimal | None
    status: str
    notes: str | None


class EnrolledSubject(_EnrollmentColumns):
    """The columns of the booking of one subject."""

    subject: str | None


@dataclass(frozen=True)
class RefusedSubject:
    """A subject of a row, or the whole row (None), that yields no booking, and why."""

    subject: str | None
    reason: str


def read_enrollment(row: EnrollmentRow) -> tuple[list[EnrolledSubject], list[RefusedSubject]]:
    """The columns of the row's bookings, one for each subject, and the parts of it that are refused."""
    try:
        names, refused = _subjects(row.subjects)
        values = _values(row)
    except InvalidInput as error:
        return [], [RefusedSubject(None, error.detail)]
    return [{**values, "subject": name} for name in names], refused


def _values(row: EnrollmentRow) -> _EnrollmentColumns:
    start, end = _day("start_date", row.start_date), _day("end_date", row.end_date)
    check_dates(start, end)
    if row.session_duration is not None and not 1 <= row.session_duration <= _MINUTES_OF_A_DAY:
        raise InvalidInput(f"session_duration {row.session_duration} is not 1 to {_MINUTES_OF_A_DAY} minutes.")
    frequency = (row.session_frequency or "").strip()
    weekly = sessions_per_week(frequency)
    unread = frequency if weekly is None else ""
    status = row.status or "active"
    return {
        "tutor_id": row.tutor_id,
        "student_id": row.student_id,
        "enrollment_id": row.id,
        "start_date": start,
        "end_date": end,
        "sessions_per_week": weekly,
        "session_duration": row.session_duration,
        "price_per_session": _price(row.hourly_rate, row.session_duration),
        "status": "completed" if status == "active" and row.is_active is False else status,
        "notes": f"Frequency of lessons: {shortened(unread, _LONGEST_NOTE)}" if unread else None,
    }


def _day(column: str, text: str | None) -> date | None:
    """PostgreSQL has dates that Python lacks: `infinity`, the year 20000."""
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"{column} {shortened(text or '')} is no day of a calendar.") from error


def _price(hourly_rate: float | None, minutes: int | None) -> Decimal | None:
    """The price of one lesson to the cent; None when the row does not determine it."""
    if hourly_rate is None or minutes is None:
        return None
    if not math.isfinite(hourly_rate) or hourly_rate < 0:
        raise InvalidInput(f"hourly_rate {hourly_rate} is no price.")
    # By its shortest decimal form: 250.1 is meant, not the binary fraction next to it.
    price = Decimal(repr(hourly_rate)) * minutes / 60
    if price > _MOST_MONEY:
        raise InvalidInput(f"hourly_rate {hourly_rate} is more than a price can be.")
    return price.quantize(Decimal("0.01"), ROUND_HALF_UP)


def _subjects(text: str | None) -> tuple[list[str | None], list[RefusedSubject]]:
    """The distinct names in the list, and its other entries. Without any name: one booking without a subject."""
    names: dict[str, str | None] = {}
    refused = []
    for entry in _listed(text):
        reason = _objection(entry)
        if reason is not None:
            refused.append(RefusedSubject(_named(entry), reason))
        elif name := " ".join(entry.split()):
            names.setdefault(name.casefold(), name)
    if not names and not refused:
        return [None], []
    return list(names.values()), refused


def _listed(text: str | None) -> list[Any]:
    if text is None:
        return []
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("subjects cannot be read.") from error
    if entries is None:
        return []
    if not isinstance(entries, list):
        raise InvalidInput('subjects is not a list of names like ["Math", "Physics"].')
    if len(entries) > _MOST_SUBJECTS:
        raise InvalidInput(f"subjects holds {len(entries)} names; more than {_MOST_SUBJECTS} are no enrollment.")
    return entries


def _objection(entry: Any) -> str | None:
    if not isinstance(entry, str):
        return "a subject is a text"
    if len(entry) > _LONGEST_SUBJECT:
        return f"a subject has at most {_LONGEST_SUBJECT} characters, this one {len(entry)}"
    # PostgreSQL's json keeps as escapes what its text cannot hold.
    if any(letter == "\x00" or "\ud800" <= letter <= "\udfff" for letter in entry):
        return "a subject holds no NUL character or half of a character"
    return None


def _named(entry: Any) -> str:
    # What is nested may be nested a thousand deep.
    if isinstance(entry, list | dict):
        return "a list" if isinstance(entry, list) else "an object"
    return shortened(str(entry))


def shortened(text: str, most: int = _LONGEST_SHOWN) -> str:
    """`text`, cut to `most` characters, with only characters that any terminal and file can show."""
    shown = "".join(_shown(text[:most]))
    return shown if len(text) <= most else f"{shown}…"


def _shown(text: str) -> Iterator[str]:
    for letter in text:
        printable = letter.isprintable() or letter == " "
        yield letter if printable else letter.encode("unicode_escape").decode("ascii")
