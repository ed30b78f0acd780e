"""Lessons made here, and slots booked here, follow the bookings that an import has changed. Nobody is notified."""

from collections.abc import Collection, Sequence

from sqlalchemy.orm import Session

from worker.platform.links import linked_platform_ids
from worker.reminders.planning.lessons import Scope, lessons_in
from worker.reminders.planning.plan import plan_reminders
from worker.schedules.planning import Planning
from worker.schedules.series.membership import follow_bookings
from worker.schedules.standalone_lessons import booked_slots, single_lessons
from worker.workflows.platform_import.bookings.lesson_kinds import DOCUMENT_LESSON, LESSON
from worker.workflows.platform_import.kind import Pull

# Days that were never stored are left to the job that fills series.
_NO_FURTHER_DAYS = 0


def follow_imported(session: Session, booking_ids: Collection[int], pull: Pull) -> None:
    """Cancel or restore the future lessons of these bookings made here, and replan their reminders. Idempotent.

    Lessons of the platform follow its own rows; a slot of the platform that was booked here is a lesson made here.
    """
    session.flush()
    lessons = _made_here(session, single_lessons(session, booking_ids, now=pull.now))
    series_ids = follow_bookings(session, booking_ids, lessons, Planning(pull.now, _NO_FURTHER_DAYS))
    if series_ids or lessons:
        session.flush()
        touched = lessons_in(session, Scope(lessons, series_ids), now=pull.now)
        plan_reminders(session, touched, now=pull.now)


def _made_here(session: Session, schedule_ids: Sequence[int]) -> Sequence[int]:
    if not schedule_ids:
        return ()
    imported = {
        our_id for kind in (LESSON, DOCUMENT_LESSON) for our_id in linked_platform_ids(session, kind, schedule_ids)
    }
    of_platform = imported - booked_slots(session, imported)
    return [schedule_id for schedule_id in schedule_ids if schedule_id not in of_platform]
