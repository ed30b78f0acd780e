"""The result of an accepted request: the same answer, however often it is accepted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.bookings import Booking, SessionRequest
from models.schedules import ScheduleSkip, Series, SeriesParticipant
from worker.calendars.zones import zone
from worker.errors import NotFound
from worker.recurrence.instants import instants
from worker.schedules.conflicts.clash import ScheduleClash


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
    """Its current state. Raises NotFound when the request was accepted elsewhere, without a booking."""
    booking = session.get(Booking, request.booking_id) if request.booking_id is not None else None
    if booking is None:
        raise NotFound(f"Request {request.id} was accepted without a booking.")
    statement = select(Series).join(SeriesParticipant, SeriesParticipant.series_id == Series.id)
    # A series that was split since continues under a later id; the first is the one that the acceptance made or joined.
    series = session.scalar(statement.where(SeriesParticipant.booking_id == booking.id).order_by(Series.id).limit(1))
    if series is None:
        return AcceptedRequest(request, booking, None, None, ())
    conflicts = _conflicts(session, series, booking, now)
    return AcceptedRequest(request, booking, series.id, series.recurrence_pattern, conflicts)


def _conflicts(session: Session, series: Series, booking: Booking, now: datetime) -> list[ScheduleClash]:
    skips = select(ScheduleSkip).where(
        ScheduleSkip.series_id == series.id,
        ScheduleSkip.reason != "excluded",
        ScheduleSkip.student_id.is_(None) | (ScheduleSkip.student_id == booking.student_id),
        ScheduleSkip.occurrence_date >= (booking.start_date or series.schedule_date),
    )
    clashes = []
    for skip in session.scalars(skips.order_by(ScheduleSkip.occurrence_date, ScheduleSkip.id)):
        when = instants(skip.occurrence_date, series.start_time, series.end_time, zone(series.timezone))
        if when.starts_at > now:
            clashes.append(ScheduleClash(skip.occurrence_date, *when, skip.reason, skip.schedule_id, skip.student_id))
    return clashes
