"""A range of days or instants, and the lessons that are in it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, true

from models.schedules import Schedule, ScheduleParticipant
from worker.errors import InvalidInput
from worker.recurrence.rule import FIRST_YEAR, LAST_YEAR

LONGEST_RANGE = timedelta(days=370)
# The maximum distance between a local day and its instants.
_MARGIN = timedelta(days=2)


@dataclass(frozen=True)
class Range:
    """A range of days, inclusive, or of instants, excluding the last."""

    since: date | datetime
    until: date | datetime

    def check(self) -> None:
        """Raise InvalidInput when it ends before it begins, or is longer than a year."""
        begin, end = day_of(self.since), day_of(self.until)
        for day in (begin, end):
            if not FIRST_YEAR <= day.year <= LAST_YEAR:
                raise InvalidInput(f"{day} is not between the years {FIRST_YEAR} and {LAST_YEAR}.")
        if end < begin:
            raise InvalidInput("`to` is before `from`.")
        if end - begin > LONGEST_RANGE:
            raise InvalidInput(f"Ask for at most {LONGEST_RANGE.days} days at a time.")

    def holds_lesson(self) -> ColumnElement[bool]:
        """A predicate on Schedule that the indexes by day support."""
        first = Schedule.ends_at > self.since if isinstance(self.since, datetime) else true()
        last = Schedule.starts_at < self.until if isinstance(self.until, datetime) else true()
        begin = day_of(self.since) - (_MARGIN if isinstance(self.since, datetime) else timedelta())
        end = day_of(self.until) + (_MARGIN if isinstance(self.until, datetime) else timedelta())
        return and_(first, last, Schedule.schedule_date.between(begin, end))

    def holds_participant(self) -> ColumnElement[bool]:
        """A wider predicate on ScheduleParticipant, which has instants only."""
        return ScheduleParticipant.starts_at.between(day_of(self.since) - _MARGIN, day_of(self.until) + _MARGIN)


def day_of(when: date | datetime) -> date:
    return when.date() if isinstance(when, datetime) else when
