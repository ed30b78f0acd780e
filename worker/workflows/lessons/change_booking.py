"""Offer, answer and change a booking; its lessons pause, resume and end with it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from models.bookings import Booking
from worker.access.callers import Caller, UserCaller
from worker.bookings import booking_commands
from worker.reminders.planning.lessons import Scope
from worker.schedules.planning import Planning
from worker.schedules.series.membership import follow_booking
from worker.workflows.lessons.notify_bookings import notify_of_change, notify_of_offer
from worker.workflows.lessons.notify_changes import notices_of_changes

_MOVES_LESSONS = frozenset({"status", "start_date", "end_date"})


def offer_booking(
    session: Session, caller: Caller, *, student_id: int, values: Mapping[str, Any], now: datetime
) -> Booking:
    """Create a booking that waits for the student's acceptance, and notify them.

    Raises the errors of worker.bookings.booking_commands.offer_booking.
    """
    booking = booking_commands.offer_booking(session, caller, student_id=student_id, values=values)
    if booking.status == "pending":
        notify_of_offer(session, booking, now=now)
    return booking


def change_booking(
    session: Session, caller: Caller, booking_id: int, changes: Mapping[str, Any], planning: Planning
) -> Booking:
    """Change columns of a booking; if its status or dates change, its future lessons follow.

    When it is paused, its lessons are cancelled; when it is active again, they are restored with the same ids. Raises
    the errors of worker.bookings.booking_commands.edit_booking.
    """
    changed = booking_commands.edit_booking(session, caller, booking_id, changes)
    return _follow(session, caller, changed, planning)


def answer_booking(
    session: Session, caller: Caller, booking_id: int, answer: booking_commands.Answer, planning: Planning
) -> Booking:
    """Accept, decline or end a booking; its lessons end with it. Raises errors of worker.bookings.booking_commands."""
    changed = booking_commands.answer_booking(session, caller, booking_id, answer)
    return _follow(session, caller, changed, planning)


def _follow(session: Session, caller: Caller, changed: booking_commands.ChangedBooking, planning: Planning) -> Booking:
    booking, now = changed.booking, planning.now
    if changed.columns & _MOVES_LESSONS:
        # People who were notified of a pause know these lessons. Other dates may add lessons that a group had without
        # this student.
        adds_people = "status" not in changed.columns
        with notices_of_changes(session, Scope(booking_id=booking.id), by=caller, now=now, adds_people=adds_people):
            follow_booking(session, booking.id, planning)
    notify_of_change(session, changed, by_user_id=caller.user_id if isinstance(caller, UserCaller) else None, now=now)
    return booking
