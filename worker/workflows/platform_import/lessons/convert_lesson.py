"""Convert a row of `sessions`."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from worker.platform.connection import Row
from worker.recurrence.instants import Instants
from worker.schedules.platform_lessons import PlatformLesson, StoredState
from worker.workflows.platform_import.bookings.courses import subject
from worker.workflows.platform_import.kind import IncomingRow, Pull
from worker.workflows.platform_import.lessons.lesson_people import KnownPeople
from worker.workflows.platform_import.words import attendance, lesson_status, session_format


def lesson_instants(row: Row, pull: Pull) -> Instants:
    """When the lesson of a row begins and ends. Raises InvalidInput."""
    return pull.lesson_instants(row.session_date, row.start_time, row.end_time)


def convert_lesson(
    incoming: IncomingRow, known: KnownPeople, stored: Mapping[int, StoredState], pull: Pull
) -> PlatformLesson | None:
    """The lesson of a row; None if it has no tutor or no students."""
    row = incoming.row
    seats = known.seats(row)
    if row.tutor_id not in known.tutors or not seats:
        return None
    when = lesson_instants(row, pull)
    is_stored = incoming.id is not None and incoming.id in stored
    lesson = PlatformLesson(
        incoming.id if is_stored else None,
        row.tutor_id,
        seats,
        known.students[seats[0].student_id],
        row.session_date,
        row.start_time,
        row.end_time,
        pull.timezone,
        when.starts_at,
        when.ends_at,
        status=lesson_status(row.status) or "scheduled",
        attendance=attendance(row.status),
        subject=subject(known.courses, row.courses or row.package_courses) or row.package_name,
        session_format=session_format(row.session_mode),
        location=row.location,
        notes=_topics(row.topics),
        created_at=pull.written_at(row.created_at),
    )
    return _as_it_went_on(lesson, stored.get(incoming.id or 0), pull.now)


def _as_it_went_on(lesson: PlatformLesson, stored: StoredState | None, now: datetime) -> PlatformLesson:
    """Nothing there advances a lesson's status, so one that was completed or cancelled here stays so."""
    if stored is None or not lesson.is_live:
        return lesson
    if stored.status == "completed" and lesson.ends_at <= now:
        return replace(lesson, status="completed")
    if stored.status == "cancelled" and stored.cancelled_by is not None:
        return replace(lesson, status="cancelled")
    return lesson


def _topics(topics: Any) -> str | None:
    """The topics of a lesson as text; there they are a list, often the message of its request."""
    named = topics if isinstance(topics, list) else [topics]
    text = "\n".join(str(topic) for topic in named if topic)
    # The column's type is json, which accepts `\\u0000` and half a surrogate pair; a text cannot contain them.
    return text.replace("\0", "").encode(errors="replace").decode() or None
