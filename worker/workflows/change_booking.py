"""Change a booking, and the lessons that hang on it: they stop, begin and end as it does."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from models.bookings import Booking
from worker.access.callers import Caller
from worker.bookings.enrolment import edit_booking
from worker.reminders.lessons import Scope
from worker.schedules.series import follow_booking
from worker.workflows.tell_of_changes import telling_of_changes

_MOVES_LESSONS = frozenset({"status", "start_date", "end_date"})


def change_booking(
    session: Session, caller: Caller, booking_id: int, changes: Mapping[str, Any], *, now: datetime, horizon_days: int
) -> Booking:
    """Change columns of a booking of the calling tutor's; with its status or dates, its future lessons.

    Paused: its lessons are called off, and come back with the same ids when it is active again. Raises as
    worker.bookings.enrolment.edit_booking does.
    """
    booking, changed = edit_booking(session, caller, booking_id, changes)
    if changed & _MOVES_LESSONS:
        # A pause was told of; other dates may reach into lessons that a group has had without this student.
        lets_in = "status" not in changed
        with telling_of_changes(session, Scope(booking_id=booking.id), by=caller, now=now, lets_in=lets_in):
            follow_booking(session, booking.id, now=now, horizon_days=horizon_days)
    return booking
