"""Notices about bookings: to student and parents when one waits for them, to the tutor when they answer or end it."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.bookings import Booking
from models.people import TutorProfile
from models.people import User as Person
from worker.access.names import name_of
from worker.bookings.booking_commands import ChangedBooking
from worker.bookings.reading import share_live_booking
from worker.bookings.statuses import FINAL, LIVE
from worker.reminders.planning.notify import notify
from worker.reminders.planning.people import family_of

# No user's id. The statement runs even without recipients: otherwise the response time would reveal whether the student
# exists.
_NOBODY = (0,)


def notify_of_offer(session: Session, booking: Booking, *, now: datetime) -> None:
    """Notify the student and parents of a pending booking; the notice contains only the tutor's name.

    A tutor with whom the student shares no booking is announced once, however many bookings they offer.
    """
    if share_live_booking(session, booking.tutor_id, booking.student_id):
        key = f"booking-offered:{booking.id}"
    else:
        key = f"booking-offered:{booking.tutor_id}:{booking.student_id}"
    _, tutor = _tutor(session, booking)
    family = family_of(session, booking.student_id)
    data = {"booking_id": booking.id, "tutor": tutor}
    notify(session, "booking-offered", user_ids=family.student or _NOBODY, data=data, key=key, now=now)
    data["student"] = family.name
    notify(session, "booking-offered", user_ids=family.parents or _NOBODY, data=data, key=key, now=now)


def notify_of_change(session: Session, changed: ChangedBooking, *, by_user_id: int | None, now: datetime) -> None:
    """Notify the tutor that their booking was accepted, or that somebody else ended it."""
    booking, was = changed.booking, changed.was
    if was == "pending" and booking.status == "active":
        kind = "booking-accepted"
    elif was in LIVE and booking.status in FINAL:
        kind = "booking-ended"
    else:
        return
    user_id, _ = _tutor(session, booking)
    if user_id == by_user_id:
        return
    data = {"booking_id": booking.id, "student": family_of(session, booking.student_id).name}
    notify(session, kind, user_ids=[user_id], data=data, key=f"{kind}:{booking.id}", now=now)


def _tutor(session: Session, booking: Booking) -> tuple[int, str]:
    """The tutor's user id and name (empty if missing)."""
    statement = select(Person.id, name_of(TutorProfile)).join(TutorProfile, TutorProfile.user_id == Person.id)
    row = session.execute(statement.where(TutorProfile.id == booking.tutor_id)).one()
    return row[0], row[1] or ""
