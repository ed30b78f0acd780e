"""The work of `POST /v1/schedules`: parse the request and create a series or a single lesson, or only simulate it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.bookings import Booking
from models.people import TutorProfile, User
from worker.access.callers import Caller
from worker.errors import Conflict, Forbidden, InvalidInput, NotFound
from worker.recurrence.request import Recurrence, TimeRequest, read_recurrence
from worker.schedules.conflicts.clash import LessonConflict
from worker.schedules.create_lesson import create_lesson
from worker.schedules.series.membership import CreationResult, SeriesMember, create_series

# Columns that a booking and a lesson both have: theirs by their names, and how much of it a lesson can hold.
_OF_BOOKING = (("subject", "subject", 100), ("grade_level", "grade_level", 50), ("session_format", "session_type", 50))


@dataclass(frozen=True)
class LessonRequest:
    """Lessons that a tutor asks for: of a booking, or free slots; `wish` says when, `content` what they are."""

    booking_id: int | None
    wish: TimeRequest
    content: Mapping[str, Any]


def tutor_of(caller: Caller) -> int:
    """The calling tutor's profile. Raises Forbidden when the caller is no tutor."""
    tutor_id: int | None = getattr(caller, "tutor_id", None)
    if tutor_id is None:
        raise Forbidden("Only a tutor can do that.")
    return tutor_id


def zone_of_tutor(session: Session, tutor_id: int, default: str) -> str:
    """The zone of lessons whose request names none: the tutor's own, else the default."""
    statement = select(User.timezone).join(TutorProfile, TutorProfile.user_id == User.id)
    return session.scalar(statement.where(TutorProfile.id == tutor_id)) or default


def make_lessons(
    session: Session, tutor_id: int, asked: LessonRequest, *, now: datetime, horizon_days: int, skip_conflicts: bool
) -> CreationResult:
    """Store the requested lessons. Raises InvalidInput, NotFound or Conflict for the booking, LessonConflict."""
    made = _make(session, tutor_id, asked, now, horizon_days, skip_conflicts=skip_conflicts)
    if made.conflicts and made.series_id is None:
        # A single lesson that is skipped leaves nothing to store.
        raise LessonConflict(made.conflicts)
    return made


def try_lessons(
    session: Session, tutor_id: int, asked: LessonRequest, *, now: datetime, horizon_days: int
) -> CreationResult:
    """What `make_lessons` would return, conflicts included; nothing is stored."""
    attempt = session.begin_nested()
    try:
        return _make(session, tutor_id, asked, now, horizon_days, skip_conflicts=True)
    finally:
        attempt.rollback()


def _make(
    session: Session, tutor_id: int, asked: LessonRequest, now: datetime, horizon_days: int, *, skip_conflicts: bool
) -> CreationResult:
    recurrence = read_recurrence(asked.wish)
    # Sequentially: the second sees what the first has stored, and can name the collision.
    session.execute(select(TutorProfile.id).where(TutorProfile.id == tutor_id).with_for_update(key_share=True))
    booking = _active_booking(session, tutor_id, asked.booking_id) if asked.booking_id is not None else None
    if booking is not None:
        _check_days(booking, recurrence)
    participant = SeriesMember(booking.student_id, booking.id) if booking is not None else None
    content = {**_of_booking(booking), **asked.content}
    if recurrence.is_single:
        return create_lesson(
            session,
            tutor_id=tutor_id,
            recurrence=recurrence,
            content=content,
            participant=participant,
            now=now,
            skip_conflicts=skip_conflicts,
        )
    return create_series(
        session,
        tutor_id=tutor_id,
        recurrence=recurrence,
        content=content,
        participants=[participant] if participant is not None else [],
        package_name=booking.package_name if booking is not None else None,
        now=now,
        horizon_days=horizon_days,
        skip_conflicts=skip_conflicts,
    )


def _active_booking(session: Session, tutor_id: int, booking_id: int) -> Booking:
    """The booking, locked: it cannot end while its lessons are created."""
    statement = select(Booking).where(Booking.id == booking_id, Booking.tutor_id == tutor_id)
    booking = session.scalar(statement.with_for_update(read=True))
    if booking is None:
        raise NotFound(f"There is no booking {booking_id}.")
    if booking.status != "active":
        raise Conflict(f"Booking {booking_id} is {booking.status}; it takes no new lessons.")
    return booking


def _check_days(booking: Booking, recurrence: Recurrence) -> None:
    """Raise InvalidInput when no lesson can lie within the booking's dates."""
    if booking.end_date is not None and recurrence.first_day > booking.end_date:
        raise InvalidInput(f"Booking {booking.id} ends on {booking.end_date}, before the first lesson.")
    if booking.start_date is not None and recurrence.is_single and recurrence.first_day < booking.start_date:
        raise InvalidInput(f"Booking {booking.id} starts on {booking.start_date}, after the lesson.")


def _of_booking(booking: Booking | None) -> dict[str, Any]:
    if booking is None:
        return {}
    said = {name: (getattr(booking, column), width) for name, column, width in _OF_BOOKING}
    return {name: value[:width] for name, (value, width) in said.items() if value is not None}
