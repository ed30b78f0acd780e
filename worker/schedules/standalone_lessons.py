"""Lessons that no series manages: single ones, and free slots that a student has booked."""

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models.bookings import Booking
from models.schedules import Schedule
from worker.schedules.conflicts.clash import is_collision


def follow_single_lessons(session: Session, booking_id: int, *, now: datetime) -> None:
    """Cancel future lessons that their booking no longer covers, and restore those that it covers again.

    A lesson whose time is taken meanwhile stays cancelled.
    """
    booking = session.get_one(Booking, booking_id)
    statement = select(Schedule).where(
        Schedule.booking_id == booking_id,
        Schedule.starts_at > now,
        or_(Schedule.series_id.is_(None), Schedule.booked_at.is_not(None)),
    )
    # All of them, in the common lock order of lessons: reminders are planned for each locked one.
    for lesson in session.scalars(statement.order_by(Schedule.id).with_for_update()):
        covered = covers(booking, lesson)
        if lesson.status == "scheduled" and not covered:
            lesson.status, lesson.cancelled_by = "cancelled", "series"
            touch(lesson, now)
        elif lesson.status == "cancelled" and lesson.cancelled_by == "series" and covered:
            _bring_back(session, lesson, now)
    session.flush()


def covers(booking: Booking, lesson: Schedule) -> bool:
    """Whether the booking is active and its dates include the lesson's day."""
    return (
        booking.status == "active"
        and (booking.start_date is None or booking.start_date <= lesson.schedule_date)
        and (booking.end_date is None or lesson.schedule_date <= booking.end_date)
    )


def touch(lesson: Schedule, now: datetime) -> None:
    """Record a change that calendars must show (RFC 5545 §3.8.7.4)."""
    lesson.sequence += 1
    lesson.updated_at = now


def _bring_back(session: Session, lesson: Schedule, now: datetime) -> None:
    try:
        with session.begin_nested():
            lesson.status, lesson.cancelled_by = "scheduled", None
            touch(lesson, now)
            session.flush()
    except DBAPIError as error:
        if not is_collision(error):
            raise
