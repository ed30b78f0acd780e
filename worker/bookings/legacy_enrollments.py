"""Turn a row of the older table `tutor_student_enrollments` into bookings. None of its values is trusted."""

import math
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import TypedDict

from worker.bookings.enrolled_subjects import RefusedSubject, shortened, subjects
from worker.bookings.frequency import sessions_per_week
from worker.bookings.statuses import check_dates
from worker.errors import InvalidInput

_LONGEST_NOTE = 500
_MINUTES_OF_A_DAY = 24 * 60
# The largest value of numeric(10, 2).
_MAX_MONEY = Decimal("99999999.99")


@dataclass(frozen=True)
class EnrollmentRow:
    """A row as it was read; None is NULL. `subjects` is JSON text."""

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


def read_enrollment(row: EnrollmentRow) -> tuple[list[EnrolledSubject], list[RefusedSubject]]:
    """The columns of the row's bookings, one for each subject, and the parts of it that are refused."""
    try:
        names, refused = subjects(row.subjects)
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
    """Parse a date. PostgreSQL has dates that Python lacks, such as `infinity` and the year 20000."""
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
    # From its shortest decimal form: 250.1 means exactly that, not the nearest binary fraction.
    price = Decimal(repr(hourly_rate)) * minutes / 60
    if price > _MAX_MONEY:
        raise InvalidInput(f"hourly_rate {hourly_rate} is more than a price can be.")
    return price.quantize(Decimal("0.01"), ROUND_HALF_UP)
