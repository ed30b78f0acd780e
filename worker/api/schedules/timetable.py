"""The caller's own timetable, in the words of the platform's form: `/v1/me/timetable`."""

from datetime import date, datetime, time
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends
from pydantic import Field, StringConstraints
from starlette.responses import Response

from worker import clock
from worker.access.callers import UserCaller
from worker.api.http.callers import CallerOf
from worker.api.http.fields import AsJson, Body, Day, Document, LocalTime, RowId, Words
from worker.api.http.idempotent import OnceOf, created
from worker.api.http.paging import BY_ID, Cursor, Limit, Page
from worker.api.http.problems import responses
from worker.api.http.time_fields import MonthName, Name, Zone
from worker.api.http.time_params import Clock
from worker.api.schedules.alarms import Minutes
from worker.api.services import ServicesOf
from worker.errors import Forbidden
from worker.jobs.idempotency import Answer
from worker.recurrence.platform_days import MOST_DATES
from worker.schedules.timetable.entries import find_entry, list_entries
from worker.schedules.timetable.viewing import EntryView, view_entries
from worker.workflows.plan_timetable import add_entry, change_entry, remove_entry

router = APIRouter(prefix="/v1/me/timetable", tags=["timetable"], responses=responses(401, 403, 422, 503))

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
    specific_dates: Annotated[list[Day], Field(max_length=MOST_DATES, fail_fast=True)] | None = None
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
    """An occurrence at the time of a lesson of the caller's."""

    starts_at: datetime
    ends_at: datetime
    schedule_id: int


class EntryDocument(Document):
    """An entry, its next occurrence, and the lessons that lie at the same times: they are shown and refuse nothing."""

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


def person(caller: CallerOf) -> UserCaller:
    """The caller, who must be a person. Raises Forbidden."""
    if not isinstance(caller, UserCaller):
        raise Forbidden("An operator has no timetable.")
    return caller


Person = Annotated[UserCaller, Depends(person)]


@router.get("", summary="List my timetable")
def get_timetable(
    caller: Person,
    services: ServicesOf,
    role: Role | None = None,
    status: EntryStatus | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[EntryDocument]:
    """The caller's entries, newest first, those of all their roles unless `role` names one."""
    before = BY_ID.decode(cursor)
    with services.database.transaction() as session:
        entries = list_entries(session, caller.user_id, role=role, status=status, before=before, limit=limit + 1)
        views = view_entries(session, caller.user_id, entries[:limit], now=clock.now())
        items = [EntryDocument.of(view) for view in views]
    return Page(items=items, next=BY_ID.after([entry.id for entry in entries], limit))


@router.post("", status_code=201, response_model=EntryDocument, responses=responses(409), summary="Add an entry")
def post_entry(body: NewEntry, caller: Person, once: OnceOf, services: ServicesOf) -> Response:
    """Add an entry in the caller's role, with one alarm. Lessons at the same times are shown and never refuse it."""
    now = clock.now()
    with services.acting(caller) as session:

        def make() -> Answer:
            values = body.model_dump(exclude_unset=True)
            entry = add_entry(session, caller, values, default_zone=services.settings.timezone, now=now)
            (view,) = view_entries(session, caller.user_id, [entry], now=now)
            return created(f"/v1/me/timetable/{entry.id}", EntryDocument.of(view))

        return once.answer(session, body, make)


@router.get("/{entry_id}", responses=responses(404), summary="Read an entry")
def get_entry(entry_id: RowId, caller: Person, services: ServicesOf) -> EntryDocument:
    """One of the caller's entries."""
    with services.database.transaction() as session:
        entry = find_entry(session, caller.user_id, entry_id)
        (view,) = view_entries(session, caller.user_id, [entry], now=clock.now())
        return EntryDocument.of(view)


@router.patch("/{entry_id}", responses=responses(404), summary="Change an entry")
def patch_entry(entry_id: RowId, body: EntryChange, caller: Person, services: ServicesOf) -> EntryDocument:
    """Change an entry; reminders that are not sent yet are replanned at once."""
    now = clock.now()
    with services.acting(caller) as session:
        entry = change_entry(session, caller, entry_id, body.model_dump(exclude_unset=True), now=now)
        (view,) = view_entries(session, caller.user_id, [entry], now=now)
        return EntryDocument.of(view)


@router.delete("/{entry_id}", status_code=204, responses=responses(404), summary="Delete an entry")
def delete_entry(entry_id: RowId, caller: Person, services: ServicesOf) -> None:
    """Delete an entry, with the reminders that are not sent yet."""
    with services.database.transaction() as session:
        remove_entry(session, caller, entry_id)
