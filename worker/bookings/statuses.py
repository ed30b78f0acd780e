"""What may become of a booking."""

from datetime import date

from worker.errors import Conflict, InvalidInput

FINAL = frozenset({"completed", "cancelled"})


def check_change(booking_id: int, current: str, wanted: str | None) -> None:
    """Raise Conflict when a booking that is `current` cannot be changed (to the status `wanted`, if given).

    An active and a paused booking become each other or end; what has ended stays as it is.
    """
    if current in FINAL and wanted != current:
        raise Conflict(f"Booking {booking_id} is {current}; it cannot be changed any more.")


def check_dates(start: date | None, end: date | None) -> None:
    """Raise InvalidInput when a booking would end before it starts."""
    if start is not None and end is not None and end < start:
        raise InvalidInput(f"end_date {end} is before start_date {start}.")
