"""Convert a row of `schedules`, and report on it."""

from models.states import PROFILE_TYPES
from worker.platform.connection import Row
from worker.platform.refusals import Refusal
from worker.reminders.planning.preferences import LONGEST_BEFORE
from worker.schedules.timetable.entries import USUAL_ALARM
from worker.schedules.timetable.form import EntryDays
from worker.schedules.timetable.platform_entries import PlatformEntry
from worker.workflows.platform_import.kind import IncomingRow, Pull
from worker.workflows.platform_import.lessons.entry_owners import EntryOwner
from worker.workflows.platform_import.words import entry_priority, entry_status


def convert_entry(incoming: IncomingRow, user_id: int, days: EntryDays, pull: Pull) -> PlatformEntry:
    """The entry of a row, for this user on these days."""
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


def entry_notes(row: Row, owner: EntryOwner) -> tuple[Refusal, ...]:
    """What was left out of an imported row, or deserves a look."""
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
