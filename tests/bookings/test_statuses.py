"""The allowed status changes of a booking and who may make them, as a complete table."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from models.states import BOOKING_STATUSES
from worker.bookings.statuses import FINAL, BookingSides, accepted, check_dates, declined, ended, status_after_change
from worker.errors import AstegniError, Conflict, Forbidden, InvalidInput

TUTOR, LEARNER = BookingSides(tutor=True, learner=False), BookingSides(tutor=False, learner=True)
SIDES = {"tutor": TUTOR, "learner": LEARNER, "both": BookingSides(tutor=True, learner=True)}
C, F = Conflict, Forbidden
# What a booking in the status of the row becomes, asked for by (tutor, learner).
CHANGES: dict[str, dict[str, tuple[Any, Any]]] = {
    "pending": {
        "active": (F, "active"),
        "paused": (C, C),
        "completed": ("declined",) * 2,
        "cancelled": ("declined",) * 2,
    },
    "active": {
        "active": ("active",) * 2,
        "paused": ("paused", F),
        "completed": ("completed",) * 2,
        "cancelled": ("cancelled",) * 2,
    },
    "paused": {
        "active": ("active", F),
        "paused": ("paused",) * 2,
        "completed": ("completed",) * 2,
        "cancelled": ("cancelled",) * 2,
    },
    "completed": {"active": (C, C), "paused": (C, C), "completed": ("completed",) * 2, "cancelled": (C, C)},
    "cancelled": {"active": (C, C), "paused": (C, C), "completed": (C, C), "cancelled": ("cancelled",) * 2},
    "declined": {"active": (C, C), "paused": (C, C), "completed": (C, C), "cancelled": ("declined",) * 2},
}
ANSWERS: dict[Callable[..., str], dict[str, Any]] = {
    accepted: {"pending": "active", "active": "active", "paused": "paused", **dict.fromkeys(FINAL, C)},
    declined: {"pending": "declined", "declined": "declined", **dict.fromkeys(("active", "paused"), C)}
    | dict.fromkeys(("completed", "cancelled"), C),
    ended: {
        "pending": "declined",
        "active": "completed",
        "paused": "completed",
        **{status: status for status in FINAL},
    },
}


def outcome(rule: Callable[..., str], *args: object) -> object:
    try:
        return rule(1, *args)
    except AstegniError as error:
        return type(error)


def test_the_tables_are_whole() -> None:
    assert set(CHANGES) == set(BOOKING_STATUSES)
    assert all(set(answers) == set(BOOKING_STATUSES) for answers in ANSWERS.values())


@pytest.mark.parametrize("current", BOOKING_STATUSES)
def test_changes_of_status(current: str) -> None:
    for status, (by_tutor, by_learner) in CHANGES[current].items():
        assert outcome(status_after_change, current, status, TUTOR) == by_tutor, status
        assert outcome(status_after_change, current, status, LEARNER) == by_learner, status


@pytest.mark.parametrize("current", BOOKING_STATUSES)
def test_other_changes_keep_the_status_until_it_is_over(current: str) -> None:
    assert outcome(status_after_change, current, None, TUTOR) == (Conflict if current in FINAL else current)


@pytest.mark.parametrize("current", BOOKING_STATUSES)
@pytest.mark.parametrize("sides", SIDES)
def test_answers(current: str, sides: str) -> None:
    for rule, expected in ANSWERS.items():
        refused = rule is not ended and not SIDES[sides].learner
        assert outcome(rule, current, SIDES[sides]) == (Forbidden if refused else expected[current]), rule.__name__


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
