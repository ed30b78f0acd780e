"""Request and response documents of the calendar's routes: the columns of its tables."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from worker.api.fields import Body, Day, Document, LocalTime, Number, Words
from worker.api.time_fields import MOST_DATES, TimeFields
from worker.api.time_params import Clock
from worker.calendars.ethiopian import MONTH_NAMES, spoken_clock, to_ethiopian
from worker.recurrence.request import TimeRequest
from worker.schedules.conflicts.clash import ScheduleClash
from worker.schedules.requests import LessonRequest
from worker.schedules.series.columns import DESCRIBING
from worker.schedules.series.membership import CreationResult
from worker.schedules.viewing import LessonView

Calendar = Literal["gregorian", "ethiopian"]
Scope = Literal["one", "following", "all"]
ScheduleStatus = Literal["scheduled", "in_progress", "completed", "cancelled"]
SessionFormat = Literal["online", "in-person", "hybrid"]


class LessonFields(TimeFields):
    """The fields that can be set when lessons are made and later; times are local to `timezone`.

    Their days come from `recurrence_pattern` (an RRULE, or words like "every Monday"), or from `schedule_type` with
    `months`, `days`, `year`, `year_to` or with `specific_dates`; without any of these it is a single lesson.
    """

    subject: Annotated[Words, Field(max_length=100)] | None = None
    grade_level: Annotated[Words, Field(max_length=50)] | None = None
    session_format: SessionFormat | None = None
    meeting_link: Annotated[Words, Field(max_length=500)] | None = None
    location: Annotated[Words, Field(max_length=255)] | None = None
    notes: Annotated[Words, Field(max_length=10_000)] | None = None


class NewSchedule(LessonFields):
    """Lessons to make: those of a booking or, without one, slots that students can book."""

    booking_id: Number | None = None
    start_time: Clock
    end_time: Clock

    def lesson_request(self, tutor_id: int, timezone: str, calendar: str) -> LessonRequest:
        """The tutor's request; `timezone` is the default."""
        times = TimeRequest(
            schedule_date=self.schedule_date,
            start_time=self.start_time,
            end_time=self.end_time,
            timezone=self.timezone or timezone,
            recurrence_pattern=self.recurrence_pattern,
            exdates=self.exdates or (),
            form=self.form(),
            calendar=calendar,
        )
        content = {name: value for name in DESCRIBING if (value := getattr(self, name)) is not None}
        return LessonRequest(tutor_id, self.booking_id, times, content)


class ScheduleChange(LessonFields):
    """Only the fields that are sent change."""


class SlotBooking(Body):
    """Who takes the slot: a parent names the child. The booking that entitles them need not be named."""

    student_id: Number | None = None
    booking_id: Number | None = None


class DaysToSkip(Body):
    """Days of a series."""

    dates: Annotated[list[Day], Field(min_length=1, max_length=MOST_DATES, fail_fast=True)]


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


class ConflictDocument(Document):
    """A lesson that collides with another: who is busy, and with which lesson."""

    schedule_date: date
    starts_at: datetime
    ends_at: datetime
    reason: str
    schedule_id: int | None
    student_id: int | None = None


class ScheduleDocument(InCalendar):
    """A lesson or a free slot; `conflicts` are the caller's own lessons at that time by another of their roles."""

    id: int
    tutor_id: int
    booking_id: int | None
    series_id: int | None
    student_id: int | None
    student_name: str | None
    participants: list[int]
    subject: str | None
    grade_level: str | None
    session_format: str | None
    timezone: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    meeting_link: str | None
    location: str | None
    notes: str | None
    status: str
    cancelled_by: str | None
    attendance: str
    is_recurring: bool
    recurrence_pattern: str | None
    occurrence_date: date | None
    is_override: bool
    booked_at: datetime | None
    sequence: int
    created_at: datetime
    updated_at: datetime
    conflicts: list[ConflictDocument]

    @classmethod
    def of(cls, view: LessonView, calendar: str) -> Self:
        """The document of a lesson, with what the caller may see of it."""
        return cls(**_values(cls, view)).shown_in(calendar)


class ChangedSchedule(ScheduleDocument):
    """A lesson after a change; `conflicts` are the lessons of its series that collide, too."""

    @classmethod
    def after(cls, view: LessonView, conflicts: Sequence[ScheduleClash]) -> Self:
        """The document of the lesson and the conflicts of the change."""
        return cls(**_values(cls, replace(view, conflicts=[*conflicts, *view.conflicts])))


def _values(cls: type[ScheduleDocument], view: LessonView) -> Mapping[str, Any]:
    """The columns of the row, with only those students that the caller may see."""
    own = {name: getattr(view.lesson, name) for name in cls.model_fields if hasattr(view.lesson, name)}
    return own | {
        "student_id": view.student_id,
        "student_name": view.student_name,
        "booking_id": view.booking_id,
        "participants": list(view.participants),
        "conflicts": [ConflictDocument.model_validate(clash) for clash in view.conflicts],
    }


class FirstLesson(InCalendar):
    """One of the first lessons that were made; without an id in a dry run."""

    id: int | None
    timezone: str
    starts_at: datetime
    ends_at: datetime


class MadeDocument(Document):
    """What was, or would be, made: a series or a single lesson, its rule in plain English, and its first lessons."""

    series_id: int | None
    schedule_id: int | None
    text: str
    occurrences: int
    first: list[FirstLesson]
    conflicts: list[ConflictDocument]

    @classmethod
    def of(cls, result: CreationResult, calendar: str, *, dry_run: bool) -> Self:
        """The document; without ids in a dry run, whose rows are rolled back."""
        first = [FirstLesson.model_validate(row).shown_in(calendar) for row in result.first]
        return cls(
            series_id=None if dry_run else result.series_id,
            schedule_id=None if dry_run else result.schedule_id,
            text=result.text,
            occurrences=result.lessons,
            first=[lesson.model_copy(update={"id": None}) for lesson in first] if dry_run else first,
            conflicts=[ConflictDocument.model_validate(clash) for clash in result.conflicts],
        )


class FreeSlotDocument(Document):
    """A part of a slot in which the tutor is free. Only a whole slot can be booked."""

    schedule_id: int
    starts_at: datetime
    ends_at: datetime
    bookable: bool
    subject: str | None
    grade_level: str | None
    session_format: str | None
