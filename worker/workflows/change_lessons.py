"""What people do to lessons, with what follows: reminders are replanned and everybody concerned is notified."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from models.schedules import Schedule, Series
from worker.access.callers import Caller
from worker.reminders.planning.lessons import Scope
from worker.schedules import cancelling, changes, requests, skips, slots
from worker.schedules.conflicts.clash import ScheduleClash
from worker.schedules.series.membership import CreationResult
from worker.workflows.notify_changes import plan_new_lessons, scope_of_lesson, telling_of_changes


def make_lessons(
    session: Session,
    tutor_id: int,
    asked: requests.LessonRequest,
    *,
    now: datetime,
    horizon_days: int,
    skip_conflicts: bool,
) -> CreationResult:
    """Make lessons, or slots. Raises as worker.schedules.requests.make_lessons does."""
    made = requests.make_lessons(
        session, tutor_id, asked, now=now, horizon_days=horizon_days, skip_conflicts=skip_conflicts
    )
    plan_new_lessons(
        session,
        schedule_ids=[made.schedule_id] if made.schedule_id is not None else [],
        series_ids=[made.series_id] if made.series_id is not None else [],
        now=now,
    )
    return made


def change_lesson(
    session: Session,
    caller: Caller,
    schedule_id: int,
    wanted: Mapping[str, Any],
    *,
    scope: str,
    now: datetime,
    horizon_days: int,
    skip_conflicts: bool = False,
) -> tuple[Schedule, list[ScheduleClash]]:
    """Change one lesson, this and the following, or all. Raises as worker.schedules.changes.change_lesson does."""
    touched = scope_of_lesson(session, schedule_id, alone=scope == changes.ONE)
    with telling_of_changes(session, touched, by=caller, now=now):
        return changes.change_lesson(
            session,
            caller,
            schedule_id,
            wanted,
            scope=scope,
            now=now,
            horizon_days=horizon_days,
            skip_conflicts=skip_conflicts,
        )


def cancel_lesson(session: Session, caller: Caller, schedule_id: int, *, scope: str, now: datetime) -> Schedule:
    """Call lessons off, or give a slot back. Raises as worker.schedules.cancelling.cancel_lesson does."""
    touched = scope_of_lesson(session, schedule_id, alone=scope == changes.ONE)
    with telling_of_changes(session, touched, by=caller, now=now):
        return cancelling.cancel_lesson(session, caller, schedule_id, scope=scope, now=now)


def skip_days(session: Session, caller: Caller, series_id: int, days: Collection[date], *, now: datetime) -> Series:
    """Let the lessons of these days be cancelled. Raises as worker.schedules.skips.skip_days does."""
    with telling_of_changes(session, Scope(series_ids=[series_id]), by=caller, now=now):
        return skips.skip_days(session, caller, series_id, days, now=now)


def book_slot(
    session: Session,
    caller: Caller,
    schedule_id: int,
    *,
    student_id: int | None,
    booking_id: int | None,
    now: datetime,
) -> Schedule:
    """Book a free slot. Raises as worker.schedules.slots.book_slot does."""
    with telling_of_changes(session, Scope([schedule_id]), by=caller, now=now):
        return slots.book_slot(session, caller, schedule_id, student_id=student_id, booking_id=booking_id, now=now)
