"""Rows of `schedules` become entries of personal timetables, each with its one alarm."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from worker.errors import InvalidInput
from worker.platform.catalog import Column
from worker.platform.connection import Row
from worker.platform.links import Link
from worker.platform.refusals import Refusal
from worker.platform.source import Source
from worker.recurrence.platform_form import PlatformForm
from worker.schedules.timetable.form import RECURRING, SPECIFIC, EntryDays, entry_days
from worker.schedules.timetable.platform_entries import PlatformEntry, delete_platform_entries, store_platform_entries
from worker.workflows.platform_import.kind import ImportOutcome, IncomingRow, Kind, Pull
from worker.workflows.platform_import.lessons.convert_entry import convert_entry, entry_notes
from worker.workflows.platform_import.lessons.entry_owners import EntryOwner, read_schedulers
from worker.workflows.platform_import.words import entry_type

_TYPE = Column("schedules", "schedule_type", "varchar")
_YEARS = range(2000, 2101)
_TEXTS = ("description", "notes", "scheduler_role", "priority_level", "status")
_FLAGS = ("alarm_enabled", "notification_browser", "notification_sound")
_LISTS = ("months", "days", "specific_dates")


class Entries(Kind):
    """The personal timetable of a person of any role."""

    name = "entry"
    has_local_times = True
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

    def store(self, session: Session, rows: Sequence[IncomingRow], pull: Pull) -> Sequence[ImportOutcome]:
        schedulers = read_schedulers(session, {incoming.row.scheduler_id for incoming in rows})
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
                entry = convert_entry(incoming, owner.user_id, days, pull)
                entries.append(entry)
                outcomes.append(ImportOutcome(row.id, None, (*notes, *entry_notes(row, owner))))
        ids = iter(store_platform_entries(session, entries, now=pull.now))
        return [outcome if outcome.is_refused else outcome._replace(id=next(ids)) for outcome in outcomes]

    def remove(self, session: Session, links: Sequence[Link], pull: Pull) -> None:  # noqa: ARG002 - as in Kind
        delete_platform_entries(session, [link.id for link in links if link.id is not None])


def _refusal(row: Row, owner: EntryOwner) -> Refusal | None:
    if owner.user_id is None:
        reason = f"scheduler {row.scheduler_id} is nobody's number in the role {row.scheduler_role or 'none'}"
        return Refusal("nobodys", reason, "Give it to a person who has an account, or delete it.")
    if row.year not in _YEARS:
        reason = f"year {row.year} is not between {_YEARS.start} and {_YEARS.stop - 1}"
        return Refusal("invalid-year", reason, "Correct the year on the platform.")
    return None


def _days(row: Row, pull: Pull) -> tuple[EntryDays, tuple[Refusal, ...]]:
    """The days of the row; none if it says nothing or cannot be read, which is reported."""
    # The column's default applies if this state of the platform lacks the column.
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
