"""Local days and times in documents, also in the Ethiopian calendar."""

from datetime import date, time
from typing import Self

from pydantic import Field

from worker.api.http.fields import Document, LocalTime
from worker.calendars.ethiopian import MONTH_NAMES, spoken_clock, to_ethiopian


class SpokenClock(Document):
    """A time as people say it in Ethiopia: hour 1 to 12, counted from dawn, and the part of the day."""

    hour: int
    minute: int
    part: str

    @classmethod
    def of(cls, clock: time) -> Self:
        """The time on the six-hour clock."""
        hour, minute, part = spoken_clock(clock)
        return cls(hour=hour, minute=minute, part=part)


class EthiopianTime(Document):
    """The local day and times in the Ethiopian calendar."""

    year: int
    month: int
    month_name: str
    day: int
    start: SpokenClock
    end: SpokenClock

    @classmethod
    def of(cls, day: date, start: time, end: time) -> Self:
        """The document of this day and these times."""
        there = to_ethiopian(day)
        return cls(
            year=there.year,
            month=there.month,
            month_name=MONTH_NAMES[there.month - 1],
            day=there.day,
            start=SpokenClock.of(start),
            end=SpokenClock.of(end),
        )


class InCalendar(Document):
    """Something with a local day and times; `ethiopian` is present when that calendar was requested."""

    schedule_date: date
    start_time: LocalTime
    end_time: LocalTime
    ethiopian: EthiopianTime | None = Field(None, exclude_if=lambda shown: shown is None)

    def shown_in(self, calendar: str) -> Self:
        """The document, with the Ethiopian day and times if `calendar` is `ethiopian`."""
        if calendar != "ethiopian":
            return self
        return self.model_copy(
            update={"ethiopian": EthiopianTime.of(self.schedule_date, self.start_time, self.end_time)}
        )
