"""Offer, create and change bookings. A tutor's offer is pending until the student or a parent accepts it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.bookings import Booking
from worker.access.callers import Caller
from worker.access.visibility import speaks_for
from worker.bookings.reading import find_booking
from worker.bookings.statuses import FINAL, BookingSides, check_dates, status_after_change
from worker.errors import Conflict, Forbidden

# How many bookings offered by one tutor may wait for one student's answer.
MAX_WAITING = 5

# Returns the status after an answer: (booking id, current status, side that answers).
Answer = Callable[[int, str, BookingSides], str]


@dataclass(frozen=True)
class ChangedBooking:
    """A booking after a change, its previous status, and the names of the changed columns."""

    booking: Booking
    was: str
    columns: frozenset[str]


def offer_booking(session: Session, caller: Caller, *, student_id: int, values: Mapping[str, Any]) -> Booking:
    """Create a booking as the calling tutor: pending, unless the tutor speaks for the student too.

    Whether the student exists is not checked: the answer would reveal to any tutor which ids exist. Raises Forbidden
    when the caller is no tutor, InvalidInput for the dates, Conflict when the tutor has too many pending offers to the
    student.
    """
    tutor_id = caller.tutor_id
    if tutor_id is None:
        raise Forbidden("Only a tutor can make a booking.")
    status = "active" if speaks_for(session, caller, student_id) else "pending"
    if status == "pending":
        _check_waiting(session, tutor_id, student_id)
    return _store(session, tutor_id=tutor_id, student_id=student_id, status=status, values=values)


def enrol_student(session: Session, *, tutor_id: int, student_id: int, values: Mapping[str, Any]) -> Booking:
    """Create the active booking of a student who requested it. Raises InvalidInput for the dates."""
    return _store(session, tutor_id=tutor_id, student_id=student_id, status="active", values=values)


def edit_booking(session: Session, caller: Caller, booking_id: int, changes: Mapping[str, Any]) -> ChangedBooking:
    """Change columns of a booking: the tutor may change any, the student and parents only the status.

    Raises NotFound, Forbidden, Conflict for a status change that is not allowed, InvalidInput for its dates.
    """
    booking, sides = _lock(session, caller, booking_id)
    others = changes.keys() - {"status"}
    if others and not sides.tutor:
        raise Forbidden(f"Only the tutor can change {min(others)}; you can accept, decline or end the booking.")
    status = status_after_change(booking_id, booking.status, changes.get("status"), sides)
    if booking.status in FINAL:
        return ChangedBooking(booking, booking.status, frozenset())  # a final status: no column changes
    check_dates(changes.get("start_date", booking.start_date), changes.get("end_date", booking.end_date))
    return _write(session, booking, {**changes, "status": status})


def answer_booking(session: Session, caller: Caller, booking_id: int, answer: Answer) -> ChangedBooking:
    """Accept, decline or end a booking. Raises NotFound, Forbidden, Conflict as `answer` does."""
    booking, sides = _lock(session, caller, booking_id)
    return _write(session, booking, {"status": answer(booking_id, booking.status, sides)})


def _check_waiting(session: Session, tutor_id: int, student_id: int) -> None:
    """Limit the pending offers of one tutor to a student, so that they do not fill the student's list."""
    theirs = (Booking.tutor_id == tutor_id, Booking.student_id == student_id, Booking.status == "pending")
    if (session.scalar(select(func.count()).where(*theirs)) or 0) >= MAX_WAITING:
        detail = f"{MAX_WAITING} bookings of yours wait for student {student_id}; wait for an answer, or end one."
        raise Conflict(detail)


def _lock(session: Session, caller: Caller, booking_id: int) -> tuple[Booking, BookingSides]:
    booking = find_booking(session, caller, booking_id, lock=True)
    sides = BookingSides(
        tutor=caller.tutor_id == booking.tutor_id,
        learner=speaks_for(session, caller, booking.student_id),
    )
    if not (sides.tutor or sides.learner):
        raise Forbidden("Only the tutor, the student and parents can change a booking.")
    return booking, sides


def _store(session: Session, *, tutor_id: int, student_id: int, status: str, values: Mapping[str, Any]) -> Booking:
    check_dates(values.get("start_date"), values.get("end_date"))
    booking = Booking(tutor_id=tutor_id, student_id=student_id, status=status, **values)
    session.add(booking)
    session.flush()
    return booking


def _write(session: Session, booking: Booking, values: Mapping[str, Any]) -> ChangedBooking:
    was = booking.status
    changed = frozenset(column for column, value in values.items() if getattr(booking, column) != value)
    for column in changed:
        setattr(booking, column, values[column])
    session.flush()
    return ChangedBooking(booking, was, changed)
