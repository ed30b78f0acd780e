"""The result of accepting a request: the same however often it is accepted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from models.bookings import Booking, SessionRequest
from models.series import Series
from worker.bookings.reading import booking_of_request
from worker.calendars.zones import zone
from worker.errors import NotFound
from worker.recurrence.instants import instants
from worker.schedules.conflicts.clash import ScheduleClash
from worker.schedules.series.reading import first_series_of, unwanted_skips


@dataclass(frozen=True)
class AcceptedRequest:
    """The request, its booking, its series and the rule in plain English (None, None: it has no lessons yet).

    `conflicts`: future occurrences that are not lessons of this student because somebody is busy.
    """

    request: SessionRequest
    booking: Booking
    series_id: int | None
    text: str | None
    conflicts: Sequence[ScheduleClash]


def read_accepted(session: Session, request: SessionRequest, *, now: datetime) -> AcceptedRequest:
    """The current state of an accepted request. Raises NotFound when it was accepted elsewhere, without a booking."""
    booking = booking_of_request(session, request)
    if booking is None:
        raise NotFound(f"Request {request.id} was accepted without a booking.")
    series = first_series_of(session, booking.id)
    if series is None:
        return AcceptedRequest(request, booking, None, None, ())
    conflicts = _conflicts(session, series, booking, now)
    return AcceptedRequest(request, booking, series.id, series.recurrence_pattern, conflicts)


def _conflicts(session: Session, series: Series, booking: Booking, now: datetime) -> list[ScheduleClash]:
    since = booking.start_date or series.schedule_date
    clashes = []
    for skip in unwanted_skips(session, series.id, booking.student_id, since):
        when = instants(skip.occurrence_date, series.start_time, series.end_time, zone(series.timezone))
        if when.starts_at > now:
            clashes.append(ScheduleClash(skip.occurrence_date, *when, skip.reason, skip.schedule_id, skip.student_id))
    return clashes
