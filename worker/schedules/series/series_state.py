"""What a series requires, and which rows are stored: the input of a plan."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple


class Occurrence(NamedTuple):
    """A day of a rule, and its instants."""

    day: date
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Attendee:
    """A student of a series whose booking is active, from `start_date` to `end_date` (None: open)."""

    student_id: int
    booking_id: int
    name: str | None
    start_date: date | None
    end_date: date | None

    def is_booked_on(self, day: date) -> bool:
        """Whether the booking covers the day."""
        return (self.start_date is None or self.start_date <= day) and (self.end_date is None or day <= self.end_date)


@dataclass(frozen=True)
class StoredLesson:
    """A future row of a series that may be changed: scheduled, or cancelled together with its series."""

    id: int
    day: date
    starts_at: datetime
    ends_at: datetime
    # False: cancelled with its series.
    scheduled: bool
    # Edited by hand: only its students follow the series.
    is_override: bool
    # The row's values of the columns shared with the series; `schedule_date` first.
    content: tuple[Any, ...]
    # student_id, student_name, booking_id of the row itself.
    named: tuple[int | None, str | None, int | None]
    # student_id to booking_id.
    participants: Mapping[int, int | None]


@dataclass(frozen=True)
class SeriesState:
    """Everything a plan needs to know about a series.

    `occurrences` are the required days in order, without skips of the whole series.
    """

    series_id: int
    tutor_id: int
    has_students: bool
    active: bool
    content: tuple[Any, ...]
    attendees: Sequence[Attendee]
    occurrences: Sequence[Occurrence]
    # Days without a lesson for anybody.
    skipped: frozenset[date] = frozenset()
    # Days that one student skips.
    student_skips: frozenset[tuple[date, int]] = frozenset()
    stored: Sequence[StoredLesson] = ()
    # Days that have a row of any kind, so that no second one is created.
    taken: Collection[date] = frozenset()

    def attendees_on(self, day: date) -> list[Attendee]:
        """The students of that day, in the order in which they joined."""
        return [
            attendee
            for attendee in self.attendees
            if attendee.is_booked_on(day) and (day, attendee.student_id) not in self.student_skips
        ]
