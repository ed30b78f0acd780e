"""The allowed status changes of a booking, and who may make them. Pure."""

from dataclasses import dataclass
from datetime import date

from worker.errors import Conflict, Forbidden, InvalidInput

# Agreed and not ended.
LIVE = frozenset({"active", "paused"})
FINAL = frozenset({"completed", "cancelled", "declined"})


@dataclass(frozen=True)
class BookingSides:
    """The sides of a booking that a person is on: its tutor, those who speak for its student, rarely both."""

    tutor: bool
    learner: bool


def status_after_change(booking_id: int, current: str, new_status: str | None, sides: BookingSides) -> str:
    """The status of a booking, now `current`, after a change to `new_status` (None: the change is to other columns).

    Only the student or a parent activates a pending booking; when either side ends it, it is declined. Only the tutor
    pauses and resumes; both sides may end. A final status does not change. Raises Conflict, Forbidden.
    """
    if current in FINAL:
        if new_status == current or (current == "declined" and new_status == "cancelled"):
            return current
        raise Conflict(f"Booking {booking_id} is {current}; it cannot be changed any more.")
    if new_status is None or new_status == current:
        return current
    if new_status in FINAL:
        return "declined" if current == "pending" else new_status
    if current != "pending":
        return _resumed(new_status, sides)
    if new_status == "active":
        return accepted(booking_id, current, sides)
    raise Conflict(f"Booking {booking_id} is pending; it cannot be {new_status} before it is accepted.")


def accepted(booking_id: int, current: str, sides: BookingSides) -> str:
    """The status once the student or a parent accepts; idempotent. Raises Conflict, Forbidden."""
    if not sides.learner:
        raise Forbidden("Only the student or a parent can accept a booking.")
    if current in FINAL:
        raise Conflict(f"Booking {booking_id} is {current}; it cannot be accepted any more.")
    return "active" if current == "pending" else current


def declined(booking_id: int, current: str, sides: BookingSides) -> str:
    """The status once the student or a parent declines; idempotent. Raises Conflict, Forbidden."""
    if not sides.learner:
        raise Forbidden("Only the student or a parent can decline a booking; its tutor ends it.")
    if current not in ("pending", "declined"):
        raise Conflict(f"Booking {booking_id} is {current}; it was accepted. End it instead.")
    return "declined"


def ended(_booking_id: int, current: str, _sides: BookingSides) -> str:
    """The status once either side ends it, at any time; idempotent."""
    if current in FINAL:
        return current
    return "declined" if current == "pending" else "completed"


def check_dates(start: date | None, end: date | None) -> None:
    """Raise InvalidInput when a booking would end before it starts."""
    if start is not None and end is not None and end < start:
        raise InvalidInput(f"end_date {end} is before start_date {start}.")


def _resumed(new_status: str, sides: BookingSides) -> str:
    if not sides.tutor:
        raise Forbidden("Only the tutor can pause and resume a booking; you can end it.")
    return new_status
