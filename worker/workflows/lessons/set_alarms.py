"""Read and set a person's alarms of a lesson or its series; their pending reminders follow in one transaction."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from models.schedules import Schedule
from worker.access.callers import Caller, UserCaller
from worker.errors import Forbidden
from worker.reminders.planning.alarms import (
    Alarm,
    Source,
    Subject,
    alarms_of,
    check_requested_alarms,
    keep_alarms_before,
    lessons_from,
    set_lesson_alarms,
    set_series_alarms,
)
from worker.reminders.planning.plan import (
    lock_series_of,
    plan_for_person,
    plan_reminders,
    recheck_after_quiet_hours,
)
from worker.reminders.planning.preferences import Preferences, lock_person, write_preferences
from worker.schedules.changes import FOLLOWING, ONE
from worker.schedules.reading import find_lesson
from worker.workflows.lessons.plan_timetable import plan_entries_of


def read_alarms(session: Session, caller: Caller, schedule_id: int, *, scope: str) -> tuple[Source, list[Alarm]]:
    """The alarms that apply to the caller: for this lesson, or with another scope for its series.

    Raises NotFound, Forbidden for an operator, who has no alarms.
    """
    user = person(caller)
    return alarms_of(session, user.user_id, _subject(find_lesson(session, caller, schedule_id), scope))


def set_alarms(
    session: Session, caller: Caller, schedule_id: int, alarms: Sequence[Alarm] | None, *, scope: str, now: datetime
) -> tuple[Source, list[Alarm]]:
    """Replace the caller's own alarms; returns the same as `read_alarms`.

    `scope`: this lesson, all future lessons of its series, or those from this lesson on; earlier ones keep their
    alarms. Raises NotFound, Forbidden, InvalidInput.
    """
    user = person(caller)
    lesson = find_lesson(session, caller, schedule_id)
    lock_person(session, user.user_id)
    check_requested_alarms(session, user.user_id, alarms or ())
    lock_series_of(session, [lesson.id])
    # A change that held the series may have split it: the lesson belongs to the new one then.
    session.refresh(lesson)
    if lesson.series_id is None or scope == ONE:
        set_lesson_alarms(session, user.user_id, [lesson.id], alarms)
        touched: Sequence[int] = [lesson.id]
    else:
        day = lesson.occurrence_date if scope == FOLLOWING else None
        if day is not None:
            keep_alarms_before(session, user.user_id, lesson.series_id, day, now=now)
        # Alarms set earlier for single lessons are cleared.
        set_lesson_alarms(session, user.user_id, lessons_from(session, lesson.series_id, day, now=now), None)
        set_series_alarms(session, user.user_id, lesson.series_id, alarms)
        touched = lessons_from(session, lesson.series_id, None, now=now)
    plan_reminders(session, touched, now=now, user_id=user.user_id)
    return alarms_of(session, user.user_id, _subject(lesson, scope))


def set_preferences(session: Session, caller: Caller, preferences: Preferences, *, now: datetime) -> None:
    """Replace the caller's preferences. Raises InvalidInput, Forbidden for an operator."""
    user = person(caller)
    lock_person(session, user.user_id)
    write_preferences(session, user.user_id, preferences)
    plan_for_person(session, user.user_id, now=now)
    plan_entries_of(session, user.user_id, now=now)
    recheck_after_quiet_hours(session, user.user_id, now=now)


def person(caller: Caller) -> UserCaller:
    """The caller as a person. Raises Forbidden for an operator."""
    if not isinstance(caller, UserCaller):
        raise Forbidden("Operators are not reminded of anything; alarms and preferences are people's own.")
    return caller


def _subject(lesson: Schedule, scope: str) -> Subject:
    return Subject(lesson.id if lesson.series_id is None or scope == ONE else None, lesson.series_id)
