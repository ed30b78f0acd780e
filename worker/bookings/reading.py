"""Read the bookings that the caller may see."""

from collections.abc import Collection, Sequence

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from models.bookings import Booking, SessionRequest
from worker.access.callers import Caller
from worker.access.visibility import visible_bookings
from worker.bookings.statuses import FINAL, LIVE
from worker.errors import NotFound


def find_booking(session: Session, caller: Caller, booking_id: int, *, lock: bool = False) -> Booking:
    """The booking; with `lock`, locked until the transaction ends. Raises NotFound when the caller may not see it."""
    statement = select(Booking).where(Booking.id == booking_id, visible_bookings(caller))
    if lock:
        # FOR NO KEY UPDATE, not the stronger FOR UPDATE: inserting a session of this booking need not wait for a change
        # of its notes.
        statement = statement.with_for_update(key_share=True, of=Booking)
    booking = session.scalar(statement)
    if booking is None:
        raise NotFound(f"There is no booking {booking_id}.")
    return booking


def list_bookings(
    session: Session, caller: Caller, *, status: str | None, before: int | None, limit: int
) -> Sequence[Booking]:
    """At most `limit` bookings, newest first, all with ids below `before` (None: from the newest)."""
    statement = select(Booking).where(visible_bookings(caller))
    if status is not None:
        statement = statement.where(Booking.status == status)
    if before is not None:
        statement = statement.where(Booking.id < before)
    return session.scalars(statement.order_by(Booking.id.desc()).limit(limit)).all()


def booking_status(session: Session, booking_id: int | None) -> str | None:
    """The status of a booking; None when there is no such booking."""
    return session.scalar(select(Booking.status).where(Booking.id == booking_id))


def share_live_booking(session: Session, tutor_id: int, student_id: int) -> bool:
    """Whether the tutor and the student have a booking that was agreed and has not ended."""
    live = exists().where(
        Booking.tutor_id == tutor_id, Booking.agreed_student_id == student_id, Booking.status.in_(LIVE)
    )
    return bool(session.scalar(select(live)))


def booking_of_request(session: Session, request: SessionRequest) -> Booking | None:
    """The booking made from an accepted request; None when there is none."""
    return None if request.booking_id is None else session.get(Booking, request.booking_id)


def unfinished_bookings(session: Session, *, tutors: Collection[int], students: Collection[int]) -> Sequence[Booking]:
    """Bookings of these tutors or students that may still change, ordered by id."""
    theirs = Booking.tutor_id.in_(tutors) | Booking.student_id.in_(students)
    return session.scalars(select(Booking).where(theirs, Booking.status.not_in(FINAL)).order_by(Booking.id)).all()
