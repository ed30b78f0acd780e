"""Lessons that no series manages: single ones, and free slots that a student has booked."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models.bookings import Booking
from models.schedules import Schedule
from worker.schedules.conflicts.clash import is_collision


def single_lessons(session: Session, booking_ids: Collection[int], *, now: datetime) -> Sequence[int]:
    """The ids of the future lessons of these bookings that no series manages."""
    return session.scalars(select(Schedule.id).where(*_single(booking_ids, now)).order_by(Schedule.id)).all()


def booked_slots(session: Session, schedule_ids: Collection[int]) -> set[int]:
    """Those of these lessons that are slots which a student has booked here."""
    statement = select(Schedule.id).where(Schedule.id.in_(schedule_ids), Schedule.booked_at.is_not(None))
    return set(session.scalars(statement))


def follow_single_lessons(
    session: Session, booking_ids: Collection[int], schedule_ids: Collection[int], *, now: datetime
) -> None:
    """Cancel those of these lessons that their booking no longer covers, and restore those that it covers again.

    Only future ones of these bookings. A lesson whose time is taken meanwhile stays cancelled.
    """
    bookings = {booking.id: booking for booking in session.scalars(select(Booking).where(Booking.id.in_(booking_ids)))}
    statement = select(Schedule).where(Schedule.id.in_(schedule_ids), *_single(booking_ids, now))
    # All of them, in the common lock order of lessons: reminders are planned for each locked one.
    for lesson in session.scalars(statement.order_by(Schedule.id).with_for_update()):
        covered = lesson.booking_id is not None and covers(bookings[lesson.booking_id], lesson)
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


def _single(booking_ids: Collection[int], now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Schedule.booking_id.in_(booking_ids),
        Schedule.starts_at > now,
        or_(Schedule.series_id.is_(None), Schedule.booked_at.is_not(None)),
    )


def _bring_back(session: Session, lesson: Schedule, now: datetime) -> None:
    try:
        with session.begin_nested():
            lesson.status, lesson.cancelled_by = "scheduled", None
            touch(lesson, now)
            session.flush()
    except DBAPIError as error:
        if not is_collision(error):
            raise
