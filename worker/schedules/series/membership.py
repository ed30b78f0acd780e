"""Add students to series, and pause or resume series with the bookings of their students."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.bookings import Booking
from models.schedules import Schedule
from models.series import Series, SeriesParticipant
from worker.schedules.conflicts.clash import ScheduleClash
from worker.schedules.planning import Planning
from worker.schedules.series.occurrences import today_in
from worker.schedules.series.reconcile import lock_series, reconcile
from worker.schedules.standalone_lessons import follow_single_lessons, single_lessons

_OVER = frozenset({"completed", "cancelled"})


class SeriesMember(NamedTuple):
    """A student and the booking through which they take part."""

    student_id: int
    booking_id: int


def booking_in_series(session: Session, series_id: int, student_id: int, statuses: Collection[str]) -> int | None:
    """The booking, in one of these states, through which the student takes part in the series."""
    statement = select(Booking.id).join(SeriesParticipant, SeriesParticipant.booking_id == Booking.id)
    seat = (SeriesParticipant.series_id == series_id, SeriesParticipant.student_id == student_id)
    return session.scalar(statement.where(*seat, Booking.status.in_(statuses)))


def package_series(session: Session, tutor_id: int, package_name: str) -> Sequence[Series]:
    """The active series of a tutor's package, oldest first, then the paused ones: a further student joins one."""
    statement = select(Series).where(
        Series.tutor_id == tutor_id, Series.package_name == package_name, Series.status.in_(("active", "paused"))
    )
    return session.scalars(statement.order_by(Series.status, Series.id)).all()


def join_series(session: Session, series_id: int, member: SeriesMember, planning: Planning) -> list[ScheduleClash]:
    """Add a student to all future lessons that their booking covers. Returns the collisions that prevent some.

    Idempotent; a student who returns with a new booking takes part through that one. A paused series resumes.
    """
    (series,) = lock_series(session, [series_id])
    statement = insert(SeriesParticipant).values(series_id=series_id, **member._asdict())
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["series_id", "student_id"], set_={"booking_id": member.booking_id}
        )
    )
    _follow(session, series, planning.now)
    return reconcile(session, [series_id], planning)


def follow_booking(session: Session, booking_id: int, planning: Planning) -> None:
    """Bring every series and future lesson of a booking in line with its status and dates, which have just changed."""
    session.flush()
    follow_bookings(session, [booking_id], single_lessons(session, [booking_id], now=planning.now), planning)


def follow_bookings(
    session: Session, booking_ids: Collection[int], schedule_ids: Collection[int], planning: Planning
) -> Sequence[int]:
    """Bring the series of these bookings, and these lessons of theirs that no series manages, in line with them.

    Returns the ids of the series. A series without any active booking stops as its bookings did, and resumes when one
    is active again. Lessons that have become impossible meanwhile are recorded as skips.
    """
    ids = sorted(_series_of(session, booking_ids))
    # A booked slot is locked below, and the series of a lesson are always locked before it.
    of_slots = select(Schedule.series_id).where(Schedule.id.in_(schedule_ids), Schedule.series_id.is_not(None))
    slot_series = {series_id for series_id in session.scalars(of_slots) if series_id is not None}
    series_ids = sorted(slot_series.union(ids))
    if series_ids:
        locked = lock_series(session, series_ids)
        for series in locked:
            if series.id in ids:
                _follow(session, series, planning.now)
        reconcile(session, ids, planning)
    if schedule_ids:
        follow_single_lessons(session, booking_ids, schedule_ids, now=planning.now)
    return ids


def _series_of(session: Session, booking_ids: Collection[int]) -> set[int]:
    statement = select(SeriesParticipant.series_id).where(SeriesParticipant.booking_id.in_(booking_ids))
    return set(session.scalars(statement))


def _follow(session: Session, series: Series, now: datetime) -> None:
    if series.status in _OVER:
        return
    statuses = set(
        session.scalars(
            select(Booking.status)
            .join(SeriesParticipant, SeriesParticipant.booking_id == Booking.id)
            .where(SeriesParticipant.series_id == series.id)
        )
    )
    new_status = next(status for status in ("active", "paused", "completed", "cancelled") if status in statuses)
    if new_status == series.status:
        return
    if new_status == "active" and series.expanded_until is not None:
        # There were no lessons during the pause.
        yesterday = today_in(series.timezone, now) - timedelta(days=1)
        series.expanded_until = max(series.expanded_until, yesterday)
    series.status, series.updated_at = new_status, now
