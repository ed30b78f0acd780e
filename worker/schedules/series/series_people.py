"""Read who takes part in series, and which days they skip."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.bookings import Booking
from models.people import StudentProfile, User
from models.series import ScheduleSkip, SeriesParticipant
from worker.access.names import name_of
from worker.schedules.series.series_state import Attendee


def read_attendees(session: Session, series_ids: Sequence[int]) -> dict[int, list[Attendee]]:
    """The students of each series with an active booking, by series."""
    attendees: dict[int, list[Attendee]] = defaultdict(list)
    statement = (
        select(
            SeriesParticipant.series_id,
            SeriesParticipant.student_id,
            SeriesParticipant.booking_id,
            name_of(StudentProfile),
            Booking.start_date,
            Booking.end_date,
        )
        .join(Booking, Booking.id == SeriesParticipant.booking_id)
        .join(StudentProfile, StudentProfile.id == SeriesParticipant.student_id)
        .join(User, User.id == StudentProfile.user_id)
        .where(SeriesParticipant.series_id.in_(series_ids), Booking.status == "active")
        .order_by(SeriesParticipant.created_at, SeriesParticipant.student_id)
    )
    for series_id, *attendee in session.execute(statement):
        attendees[series_id].append(Attendee(*attendee))
    return attendees


def read_skips(session: Session, series_ids: Sequence[int]) -> dict[int, set[tuple[date, int | None]]]:
    """The days that each series skips, and for whom (None: for everybody)."""
    skips: dict[int, set[tuple[date, int | None]]] = defaultdict(set)
    columns = (ScheduleSkip.series_id, ScheduleSkip.occurrence_date, ScheduleSkip.student_id)
    for series_id, day, student_id in session.execute(select(*columns).where(ScheduleSkip.series_id.in_(series_ids))):
        skips[series_id].add((day, student_id))
    return skips
