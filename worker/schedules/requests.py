"""Implements `POST /v1/schedules`: parse the request and create a series or a single lesson, or only simulate it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.bookings import Booking
from models.people import TutorProfile, User
from worker.calendars.zones import known_zone
from worker.errors import Conflict, InvalidInput, NotFound
from worker.recurrence.request import Recurrence, TimeRequest, read_recurrence
from worker.schedules.conflicts.clash import LessonConflict
from worker.schedules.create_lesson import create_lesson
from worker.schedules.planning import Planning
from worker.schedules.series.create_series import CreationResult, NewLessons, create_series
from worker.schedules.series.membership import SeriesMember

# Columns that bookings and lessons share: the booking's name, the lesson's name, and the lesson's width.
_OF_BOOKING = (("subject", "subject", 100), ("grade_level", "grade_level", 50), ("session_format", "session_type", 50))


@dataclass(frozen=True)
class LessonRequest:
    """Lessons that a tutor asks for: under a booking, or as free slots; `content` holds the columns describing them."""

    tutor_id: int
    booking_id: int | None
    times: TimeRequest
    content: Mapping[str, str | None]


def zone_of_tutor(session: Session, tutor_id: int, default: str) -> str:
    """The zone of lessons whose request names none: the tutor's own, if it is one, else the default."""
    statement = select(User.timezone).join(TutorProfile, TutorProfile.user_id == User.id)
    return known_zone(session.scalar(statement.where(TutorProfile.id == tutor_id)), default)


def create_lessons(session: Session, request: LessonRequest, planning: Planning) -> CreationResult:
    """Store the requested lessons. Raises InvalidInput, NotFound or Conflict for the booking, LessonConflict."""
    result = _create(session, request, planning)
    if result.conflicts and result.series_id is None:
        # A single lesson that is skipped leaves nothing to store.
        raise LessonConflict(result.conflicts)
    return result


def try_lessons(session: Session, request: LessonRequest, planning: Planning) -> CreationResult:
    """What `create_lessons` would return, including conflicts; nothing is stored."""
    attempt = session.begin_nested()
    try:
        return _create(session, request, replace(planning, skip_conflicts=True))
    finally:
        attempt.rollback()


def _create(session: Session, request: LessonRequest, planning: Planning) -> CreationResult:
    recurrence, tutor_id = read_recurrence(request.times), request.tutor_id
    # Serialised by the lock: the second request sees what the first has stored, and can name the collision.
    session.execute(select(TutorProfile.id).where(TutorProfile.id == tutor_id).with_for_update(key_share=True))
    booking = _active_booking(session, tutor_id, request.booking_id) if request.booking_id is not None else None
    if booking is None:
        lessons = NewLessons(tutor_id, recurrence, request.content)
    else:
        _check_days(booking, recurrence)
        content = {**_content_of(booking), **request.content}
        participant = SeriesMember(booking.student_id, booking.id)
        lessons = NewLessons(tutor_id, recurrence, content, [participant], booking.package_name)
    create = create_lesson if recurrence.is_single else create_series
    return create(session, lessons, planning)


def _active_booking(session: Session, tutor_id: int, booking_id: int) -> Booking:
    """Lock and return the booking, which cannot end while its lessons are created."""
    statement = select(Booking).where(Booking.id == booking_id, Booking.tutor_id == tutor_id)
    booking = session.scalar(statement.with_for_update(read=True))
    if booking is None:
        raise NotFound(f"There is no booking {booking_id}.")
    if booking.status != "active":
        raise Conflict(f"Booking {booking_id} is {booking.status}; it takes no new lessons.")
    return booking


def _check_days(booking: Booking, recurrence: Recurrence) -> None:
    """Raise InvalidInput when no lesson can be within the booking's dates."""
    if booking.end_date is not None and recurrence.first_day > booking.end_date:
        raise InvalidInput(f"Booking {booking.id} ends on {booking.end_date}, before the first lesson.")
    if booking.start_date is not None and recurrence.is_single and recurrence.first_day < booking.start_date:
        raise InvalidInput(f"Booking {booking.id} starts on {booking.start_date}, after the lesson.")


def _content_of(booking: Booking) -> dict[str, str]:
    """What lessons inherit from their booking, cut to the width of their columns."""
    values = ((name, getattr(booking, column), width) for name, column, width in _OF_BOOKING)
    return {name: value[:width] for name, value, width in values if value is not None}
