"""Documents of the caller's own timetable, in the words of the platform's form."""

from datetime import date, datetime, time
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints

from worker.api.http.fields import AsJson, Body, Day, Document, LocalTime, Words
from worker.api.http.time_fields import MonthName, Name, Zone
from worker.api.http.time_params import Clock
from worker.api.schedules.alarms import Minutes
from worker.recurrence.platform_days import MAX_DATES
from worker.schedules.timetable.viewing import EntryView

Priority = Literal["low", "medium", "high", "urgent", "important"]
EntryStatus = Literal["active", "draft", "completed", "cancelled"]
# Both spellings of single dates are the platform's.
EntryType = Literal["recurring", "specific", "specific_dates"]
Role = Literal["tutor", "student", "parent"]
Title = Annotated[Words, StringConstraints(strip_whitespace=True), Field(min_length=1, max_length=255, pattern=r"\S")]
Prose = Annotated[Words, Field(max_length=10_000)]
Year = Annotated[int, Field(strict=True, ge=2000, le=2100), AsJson]
Checked = Annotated[bool, Field(strict=True)]


class EntryFields(Body):
    """The fields of the form that may be left out; times are local to `timezone`.

    `recurring`: weekly on `days`, in `months` (none: in all), from `year` on without end. `specific`: on
    `specific_dates`; months and days beside them are leftovers of the form and ignored.
    """

    description: Prose | None = None
    priority_level: Priority = "medium"
    year: Year | None = None
    months: Annotated[list[MonthName], Field(max_length=50, fail_fast=True)] | None = None
    days: Annotated[list[Name], Field(max_length=50, fail_fast=True)] | None = None
    specific_dates: Annotated[list[Day], Field(max_length=MAX_DATES, fail_fast=True)] | None = None
    timezone: Zone | None = None
    notes: Prose | None = None
    status: EntryStatus = "active"
    is_featured: Checked = False
    alarm_enabled: Checked = False
    alarm_before_minutes: Minutes | None = None
    notification_browser: Checked = False
    notification_sound: Checked = False


class NewEntry(EntryFields):
    """An entry to be stored, as the form sends it."""

    title: Title
    schedule_type: EntryType
    start_time: Clock
    end_time: Clock


def _left_out() -> str:
    """The value of a field that was not sent; it is never read."""
    return ""


class EntryChange(EntryFields):
    """Only the fields that are sent change."""

    title: Title = Field(default_factory=_left_out)
    schedule_type: EntryType = "recurring"
    start_time: Clock = Field(default_factory=time)
    end_time: Clock = Field(default_factory=time)


class EntryConflictDocument(Document):
    """An occurrence that overlaps one of the caller's lessons."""

    starts_at: datetime
    ends_at: datetime
    schedule_id: int


class EntryDocument(Document):
    """An entry, its next occurrence, and the lessons that overlap with it: they are shown, and do not refuse it."""

    id: int
    role: str | None
    title: str
    description: str | None
    priority_level: str
    schedule_type: str
    year: int
    months: list[str]
    days: list[str]
    specific_dates: list[date]
    start_time: LocalTime
    end_time: LocalTime
    timezone: str
    notes: str | None
    status: str
    is_featured: bool
    alarm_enabled: bool
    alarm_before_minutes: int | None
    notification_browser: bool
    notification_sound: bool
    sequence: int
    created_at: datetime
    updated_at: datetime
    text: str | None
    next_starts_at: datetime | None
    next_ends_at: datetime | None
    conflicts: list[EntryConflictDocument]

    @classmethod
    def of(cls, view: EntryView) -> Self:
        """The document of an entry."""
        columns = {name: getattr(view.entry, name) for name in cls.model_fields if hasattr(view.entry, name)}
        return cls(
            **columns,
            text=view.text,
            next_starts_at=None if view.next is None else view.next.starts_at,
            next_ends_at=None if view.next is None else view.next.ends_at,
            conflicts=[EntryConflictDocument.model_validate(conflict) for conflict in view.conflicts],
        )
