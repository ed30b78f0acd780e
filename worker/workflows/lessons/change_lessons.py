"""People's changes of lessons: reminders are replanned, and the people concerned are notified."""

from typing import TypeVar

from sqlalchemy.orm import Session

from worker.access.callers import Caller
from worker.reminders.planning.lessons import Scope
from worker.schedules.commands import LessonCommand, TouchedLessons
from worker.schedules.planning import Planning
from worker.schedules.reading import series_of_lesson
from worker.schedules.requests import LessonRequest, create_lessons
from worker.schedules.series.create_series import CreationResult
from worker.workflows.lessons.notify_changes import notices_of_changes, plan_new_lessons

Result = TypeVar("Result")


def make_lessons(session: Session, request: LessonRequest, planning: Planning) -> CreationResult:
    """Store lessons or slots, and plan their reminders. Raises errors of worker.schedules.requests.create_lessons."""
    result = create_lessons(session, request, planning)
    plan_new_lessons(
        session,
        schedule_ids=[result.schedule_id] if result.schedule_id is not None else [],
        series_ids=[result.series_id] if result.series_id is not None else [],
        now=planning.now,
    )
    return result


def change_lessons(session: Session, caller: Caller, command: LessonCommand[Result]) -> Result:
    """Change, cancel, skip or book lessons, as the command says. Raises the errors of its `apply`."""
    touched = _scope_of(session, command.touched)
    with notices_of_changes(session, touched, by=caller, now=command.now):
        return command.apply(session, caller)


def _scope_of(session: Session, touched: TouchedLessons) -> Scope:
    series_id = touched.series_id
    if touched.whole_series:
        series_id = series_of_lesson(session, touched.schedule_id)
    return Scope(
        [touched.schedule_id] if touched.schedule_id is not None else [], [series_id] if series_id is not None else []
    )
