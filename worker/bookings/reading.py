"""Read the bookings that the caller may see."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.bookings import Booking
from worker.access.callers import Caller
from worker.access.visibility import visible_bookings
from worker.errors import NotFound


def find_booking(session: Session, caller: Caller, booking_id: int, *, lock: bool = False) -> Booking:
    """The booking; with `lock`, locked until the transaction ends. Raises NotFound when the caller may not see it."""
    statement = select(Booking).where(Booking.id == booking_id, visible_bookings(caller))
    if lock:
        # Not the stronger FOR UPDATE: a new session of this booking need not wait for a change of its notes.
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
