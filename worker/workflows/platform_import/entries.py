"""Rows of `schedules` become entries of personal timetables, with their one alarm as it was set there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.people import TutorProfile
from models.people import User as Person
from models.states import PROFILE_TYPES
from worker.errors import InvalidInput
from worker.platform.catalog import Column
from worker.platform.connection import Row
from worker.platform.links import Link
from worker.platform.refusals import Refusal
from worker.platform.source import Source
from worker.recurrence.platform_form import PlatformForm
from worker.reminders.planning.preferences import LONGEST_BEFORE
from worker.schedules.timetable.entries import USUAL_ALARM
from worker.schedules.timetable.form import RECURRING, SPECIFIC, EntryDays, entry_days
from worker.schedules.timetable.platform_entries import (
    PlatformEntry,
    delete_platform_entries,
    store_platform_entries,
)
from worker.workflows.platform_import.kind import ImportOutcome, Incoming, Kind, Pull
from worker.workflows.platform_import.words import entry_priority, entry_status, entry_type

_TYPE = Column("schedules", "schedule_type", "varchar")
_YEARS = range(2000, 2101)
_TEXTS = ("description", "notes", "scheduler_role", "priority_level", "status")
_FLAGS = ("alarm_enabled", "notification_browser", "notification_sound")
_LISTS = ("months", "days", "specific_dates")


class _Owner(NamedTuple):
    """Whose entry it is (None: nobody's), and whether `scheduler_id` might name somebody else as well."""

    user_id: int | None
    is_ambiguous: bool = False


@dataclass(frozen=True)
class _Schedulers:
    """Who the numbers in `scheduler_id` are: known users, those of them who teach, and users by tutor profile."""

    users: frozenset[int]
    teachers: frozenset[int]
    by_profile: Mapping[int, int]

    def owner(self, row: Row) -> _Owner:
        """The tutor's own route writes tutor_profiles.id, the general form users.id; the row does not say which."""
        number = row.scheduler_id
        if row.scheduler_role == "tutor" and number not in self.teachers:
            return _Owner(self.by_profile.get(number))
        if number not in self.users:
            return _Owner(None)
        profile_of = self.by_profile.get(number, number)
        return _Owner(number, is_ambiguous=row.scheduler_role == "tutor" and profile_of != number)


class Entries(Kind):
    """The personal timetable of a person of any role."""

    name = "entry"
    source = Source(
        "schedules",
        {
            "id": Column("schedules", "id", "integer", required=True),
            "scheduler_id": Column("schedules", "scheduler_id", "integer", required=True),
            "title": Column("schedules", "title", "varchar", required=True),
            "year": Column("schedules", "year", "integer", required=True),
            "schedule_type": _TYPE,
            "start_time": Column("schedules", "start_time", "time", required=True),
            "end_time": Column("schedules", "end_time", "time", required=True),
            "alarm_before_minutes": Column("schedules", "alarm_before_minutes", "integer"),
            **{name: Column("schedules", name, "text") for name in _TEXTS},
            **{name: Column("schedules", name, "boolean") for name in _FLAGS},
            **{name: Column("schedules", name, "text[]") for name in _LISTS},
            **{name: Column("schedules", name, "timestamp") for name in ("created_at", "updated_at")},
        },
        changed=tuple(Column("schedules", name, "timestamp") for name in ("created_at", "updated_at")),
    )

    def store(self, session: Session, rows: Sequence[Incoming], pull: Pull) -> Sequence[ImportOutcome]:
        schedulers = _schedulers(session, {incoming.row.scheduler_id for incoming in rows})
        outcomes: list[ImportOutcome] = []
        entries: list[PlatformEntry] = []
        for incoming in rows:
            row = incoming.row
            owner = schedulers.owner(row)
            refusal = _refusal(row, owner)
            if refusal is not None:
                outcomes.append(ImportOutcome(row.id, incoming.id, (refusal,)))
            elif owner.user_id is not None:
                days, notes = _days(row, pull)
                entry = _entry(incoming, owner.user_id, days, pull)
                entries.append(entry)
                outcomes.append(ImportOutcome(row.id, None, (*notes, *_notes(row, owner))))
        ids = iter(store_platform_entries(session, entries, now=pull.now))
        return [outcome if outcome.is_refused else outcome._replace(id=next(ids)) for outcome in outcomes]

    def remove(self, session: Session, links: Sequence[Link], pull: Pull) -> None:  # noqa: ARG002 - as in Kind
        delete_platform_entries(session, [link.id for link in links if link.id is not None])


def _schedulers(session: Session, numbers: set[int]) -> _Schedulers:
    users = session.scalars(select(Person.id).where(Person.id == func.any(list(numbers))))
    named = TutorProfile.id.in_(numbers) | TutorProfile.user_id.in_(numbers)
    profiles = session.execute(select(TutorProfile.id, TutorProfile.user_id).where(named))
    by_profile = {profile.id: profile.user_id for profile in profiles}
    return _Schedulers(frozenset(users), frozenset(by_profile.values()) & numbers, by_profile)


def _refusal(row: Row, owner: _Owner) -> Refusal | None:
    if owner.user_id is None:
        reason = f"scheduler {row.scheduler_id} is nobody's number in the role {row.scheduler_role or 'none'}"
        return Refusal("nobodys", reason, "Give it to a person who has an account, or delete it.")
    if row.year not in _YEARS:
        reason = f"year {row.year} is not between {_YEARS.start} and {_YEARS.stop - 1}"
        return Refusal("invalid-year", reason, "Correct the year on the platform.")
    return None


def _days(row: Row, pull: Pull) -> tuple[EntryDays, tuple[Refusal, ...]]:
    """The days of the row; none when it says nothing or what cannot be read, which is reported."""
    # Where this state of the platform has no such column, its default holds.
    kind = entry_type(row.schedule_type) if pull.catalog.has(_TYPE) else RECURRING
    days = EntryDays(kind or RECURRING, row.year)
    dates = [day for day in row.specific_dates or () if day]
    try:
        if kind is not None:
            days = entry_days(PlatformForm(kind, row.months or (), row.days or (), specific_dates=dates), row.year)
    except InvalidInput as error:
        return days, (_never_occurs("unreadable-days", error.detail),)
    if not days.is_empty:
        return days, ()
    missing = {RECURRING: "day of the week", SPECIFIC: "date"}.get(kind or "", "type that says its days")
    return days, (_never_occurs("says-nothing", f"it names no {missing}"),)


def _never_occurs(code: str, reason: str) -> Refusal:
    remedy = "Name its days on the platform; until then the entry never occurs."
    return Refusal(code, reason, remedy, is_refused=False)


def _entry(incoming: Incoming, user_id: int, days: EntryDays, pull: Pull) -> PlatformEntry:
    row = incoming.row
    return PlatformEntry(
        id=incoming.id,
        user_id=user_id,
        role=row.scheduler_role if row.scheduler_role in PROFILE_TYPES else None,
        title=row.title,
        description=row.description,
        priority_level=entry_priority(row.priority_level) or "medium",
        days=days,
        start_time=row.start_time,
        end_time=row.end_time,
        timezone=pull.timezone,
        notes=row.notes,
        # An entry with an unknown status must not send reminders.
        status=entry_status(row.status) or "draft",
        alarm_enabled=bool(row.alarm_enabled),
        alarm_before_minutes=_minutes(row),
        notification_browser=bool(row.notification_browser),
        notification_sound=bool(row.notification_sound),
        created_at=pull.written_at(row.created_at),
        updated_at=pull.written_at(row.updated_at),
    )


def _minutes(row: Row) -> int | None:
    minutes: int | None = row.alarm_before_minutes
    if minutes is not None and not 0 <= minutes <= LONGEST_BEFORE:
        minutes = None
    return USUAL_ALARM if minutes is None and row.alarm_enabled else minutes


def _notes(row: Row, owner: _Owner) -> tuple[Refusal, ...]:
    """What was left out of a row that is taken, or is worth a look."""
    notes = []
    if owner.is_ambiguous:
        reason = f"{row.scheduler_id} is a user who teaches and somebody else's tutor profile; taken as the user's"
        notes.append(("ambiguous-owner", reason, "If it is the other tutor's, let them enter it again."))
    if row.scheduler_role not in PROFILE_TYPES:
        notes.append(("unknown-role", f"role {row.scheduler_role!r} is none here", "Nothing, if it is right."))
    if row.priority_level is not None and entry_priority(row.priority_level) is None:
        reason = f"priority {row.priority_level!r} is unknown and taken as medium"
        notes.append(("unknown-priority", reason, "Set a priority that the platform knows."))
    if entry_status(row.status) is None:
        reason = f"status {row.status!r} is unknown and taken as a draft, which does not ring"
        notes.append(("unknown-status", reason, "Set a status that the platform knows."))
    if row.alarm_enabled and row.alarm_before_minutes is not None and _minutes(row) != row.alarm_before_minutes:
        reason = f"an alarm {row.alarm_before_minutes} minutes before is taken as {USUAL_ALARM}"
        notes.append(("invalid-alarm", reason, f"Set 0 to {LONGEST_BEFORE} minutes."))
    return tuple(Refusal(code, reason, remedy, is_refused=False) for code, reason, remedy in notes)
