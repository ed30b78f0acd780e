"""Make and change bookings: what tutors do. Values come checked against the columns."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.bookings import Booking
from models.people import StudentProfile
from worker.access.callers import Caller
from worker.bookings.reading import find_booking
from worker.bookings.statuses import FINAL, check_change, check_dates
from worker.errors import Forbidden, InvalidInput


def create_booking(session: Session, caller: Caller, *, student_id: int, values: Mapping[str, Any]) -> Booking:
    """Enrol a student with the tutor who calls; `values` are the other columns.

    Raises Forbidden when the caller is no tutor, InvalidInput for a student who does not exist.
    """
    tutor_id = getattr(caller, "tutor_id", None)
    if tutor_id is None:
        raise Forbidden("Only a tutor can make a booking.")
    check_dates(values.get("start_date"), values.get("end_date"))
    exists = session.scalar(select(StudentProfile.id).where(StudentProfile.id == student_id, StudentProfile.is_active))
    if exists is None:
        raise InvalidInput(f"There is no active student {student_id}.")
    booking = Booking(tutor_id=tutor_id, student_id=student_id, **values)
    session.add(booking)
    session.flush()
    return booking


def edit_booking(
    session: Session, caller: Caller, booking_id: int, changes: Mapping[str, Any]
) -> tuple[Booking, frozenset[str]]:
    """Change columns of a booking of the calling tutor's; answers it with the names of those that are other now.

    Raises NotFound, Forbidden for those who may only see it, Conflict when it is over, InvalidInput for its dates.
    """
    booking = find_booking(session, caller, booking_id, lock=True)
    if getattr(caller, "tutor_id", None) != booking.tutor_id:
        raise Forbidden("Only the tutor can change a booking.")
    check_change(booking_id, booking.status, changes.get("status"))
    if booking.status in FINAL:
        return booking, frozenset()  # the same end said twice: nothing else of it changes
    check_dates(changes.get("start_date", booking.start_date), changes.get("end_date", booking.end_date))
    changed = frozenset(column for column, value in changes.items() if getattr(booking, column) != value)
    for column in changed:
        setattr(booking, column, changes[column])
    session.flush()
    return booking, changed
