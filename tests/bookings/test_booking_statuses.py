"""What may become of a booking: the whole table."""

from datetime import date

import pytest

from models.states import BOOKING_STATUSES
from worker.bookings.statuses import check_change, check_dates
from worker.errors import Conflict, InvalidInput


@pytest.mark.parametrize("current", BOOKING_STATUSES)
@pytest.mark.parametrize("wanted", [*BOOKING_STATUSES, None])
def test_what_has_ended_stays_ended(current: str, wanted: str | None) -> None:
    if current in {"completed", "cancelled"} and wanted != current:
        with pytest.raises(Conflict, match=current):
            check_change(1, current, wanted)
    else:
        check_change(1, current, wanted)


@pytest.mark.parametrize(
    ("start", "end", "fine"),
    [
        (None, None, True),
        (date(2026, 2, 1), None, True),
        (None, date(2026, 2, 1), True),
        (date(2026, 2, 1), date(2026, 2, 1), True),
        (date(2026, 2, 2), date(2026, 2, 1), False),
    ],
)
def test_a_booking_does_not_end_before_it_starts(start: date | None, end: date | None, fine: bool) -> None:
    if fine:
        check_dates(start, end)
    else:
        with pytest.raises(InvalidInput):
            check_dates(start, end)
