"""Rows of `sessions` become lessons of their group's tutor and students. Weekly rules of groups are not expanded.

Lessons are stored without their commands, which notify people. Reminders are planned, but only for alarms that people
have set, here or by the platform's switch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.people import StudentProfile, TutorProfile
from models.people import User as Person
from worker.access.names import name_of
from worker.bookings.platform_bookings import Pair, bookings_of_pairs
from worker.calendars.zones import zone
from worker.platform.catalog import Column
from worker.platform.connection import Row
from worker.platform.links import Link, read_links, remove_links, write_links
from worker.platform.refusals import Refusal
from worker.platform.source import Join, Source
from worker.recurrence.instants import Instants, instants
from worker.reminders.planning.plan import hold_series, plan_reminders
from worker.reminders.planning.platform_alarms import alarm_minutes, clear_platform_alarms, set_platform_alarms
from worker.schedules.platform_lessons import (
    PlatformLesson,
    Seat,
    StoredState,
    cancel_lessons,
    hold_lessons,
    store_lessons,
)
from worker.schedules.platform_overlaps import neighbours
from worker.workflows.platform_import.collisions import find_collisions
from worker.workflows.platform_import.courses import course_names, subject
from worker.workflows.platform_import.kind import ImportOutcome, Incoming, Kind, Pull
from worker.workflows.platform_import.lesson_refusals import (
    LESSON,
    NOBODYS,
    collision_refusals,
    two_role_notes,
    unknown_words,
)
from worker.workflows.platform_import.words import attendance, lesson_status, session_format

# Lessons whose alarm the import has set; the digest is its minutes.
_ALARM = "lesson_alarm"


class Lessons(Kind):
    """A lesson names neither tutor nor students: both come from its group, whose changes leave no trace."""

    name = LESSON
    source = Source(
        "sessions",
        {
            "id": Column("sessions", "id", "integer", required=True),
            "tutor_id": Column("enrolled_courses", "tutor_id", "integer"),
            "students_id": Column("enrolled_courses", "students_id", "integer[]"),
            "courses": Column("enrolled_courses", "course_id", "integer[]"),
            "package_courses": Column("tutor_packages", "course_ids", "integer[]"),
            "package_name": Column("tutor_packages", "name", "varchar"),
            "topics": Column("sessions", "topics", "json"),
            "session_date": Column("sessions", "session_date", "date", required=True),
            "start_time": Column("sessions", "start_time", "time", required=True),
            "end_time": Column("sessions", "end_time", "time", required=True),
            "session_mode": Column("sessions", "session_mode", "varchar"),
            "location": Column("sessions", "location", "varchar"),
            "alarm_enabled": Column("sessions", "alarm_enabled", "boolean"),
            "alarm_before_minutes": Column("sessions", "alarm_before_minutes", "integer"),
            "status": Column("sessions", "status", "varchar"),
            "created_at": Column("sessions", "created_at", "timestamp"),
        },
        changed=(Column("sessions", "updated_at", "timestamp"), Column("sessions", "created_at", "timestamp")),
        joins=(
            Join("enrolled_courses", "enrolled_courses.id = sessions.enrolled_courses_id"),
            Join("tutor_packages", "tutor_packages.id = enrolled_courses.package_id"),
        ),
    )
    reads_all = True

    def store(self, session: Session, rows: Sequence[Incoming], pull: Pull) -> Sequence[ImportOutcome]:
        hold_series(session, [incoming.id for incoming in rows if incoming.id is not None])
        stored = hold_lessons(session, [incoming.id for incoming in rows if incoming.id is not None])
        known = _read_known(session, [incoming.row for incoming in rows], pull)
        wanted = [(incoming, _lesson(incoming, known, stored, pull)) for incoming in rows]
        lessons = [(incoming, lesson) for incoming, lesson in wanted if lesson is not None]
        ids, refusals = _store(session, lessons)
        _set_alarms(
            session, [(incoming.row, ids[incoming.row.id]) for incoming, _ in lessons if incoming.row.id in ids]
        )
        notes = two_role_notes(session, ids)
        ahead = [ids[incoming.row.id] for incoming, lesson in lessons if _needs_plan(incoming, lesson, ids, pull)]
        plan_reminders(session, ahead, now=pull.now)
        return [
            ImportOutcome(
                incoming.row.id,
                ids.get(incoming.row.id, incoming.id),
                refusals.get(incoming.row.id)
                or ((NOBODYS,) if lesson is None else (*unknown_words(incoming.row), *notes[incoming.row.id])),
            )
            for incoming, lesson in wanted
        ]

    def remove(self, session: Session, links: Sequence[Link], pull: Pull) -> None:
        """Cancel those that are not over; nobody is notified, and no reminder is sent any more."""
        ids = [link.id for link in links if link.id is not None]
        hold_series(session, ids)
        cancel_lessons(session, ids)
        remove_links(session, _ALARM, [link.platform_id for link in links])
        plan_reminders(session, ids, now=pull.now)

    def may_retry(self, row: Row, pull: Pull) -> bool:
        """Lessons that are over were refused beside others that were there then."""
        return _instants(row, pull).ends_at > pull.now


@dataclass(frozen=True)
class _Known:
    """What is stored of the people that lessons name, and the names of their courses."""

    tutors: frozenset[int]
    # Names by student.
    students: Mapping[int, str | None]
    bookings: Mapping[Pair, int]
    courses: dict[int, str]

    def seats(self, row: Row) -> tuple[Seat, ...]:
        """The seats of those students of the row who are stored."""
        ids = [student_id for student_id in dict.fromkeys(row.students_id or ()) if student_id in self.students]
        return tuple(Seat(student_id, self.bookings.get(Pair(row.tutor_id, student_id))) for student_id in ids)


def _read_known(session: Session, rows: Sequence[Row], pull: Pull) -> _Known:
    tutors = {row.tutor_id for row in rows if row.tutor_id is not None}
    students = {student_id for row in rows for student_id in row.students_id or ()}
    names = select(StudentProfile.id, name_of(StudentProfile)).join(Person, Person.id == StudentProfile.user_id)
    pairs = {Pair(row.tutor_id, student_id) for row in rows for student_id in row.students_id or ()}
    return _Known(
        frozenset(session.scalars(select(TutorProfile.id).where(TutorProfile.id == func.any(list(tutors))))),
        {row.id: row[1] for row in session.execute(names.where(StudentProfile.id == func.any(list(students))))},
        bookings_of_pairs(session, pairs),
        course_names(pull, [row.courses or row.package_courses for row in rows]),
    )


def _instants(row: Row, pull: Pull) -> Instants:
    return instants(row.session_date, row.start_time, row.end_time, zone(pull.timezone))


def _lesson(incoming: Incoming, known: _Known, stored: Mapping[int, StoredState], pull: Pull) -> PlatformLesson | None:
    """The lesson of a row; None when it is nobody's: without a tutor, or without any student."""
    row = incoming.row
    seats = known.seats(row)
    if row.tutor_id not in known.tutors or not seats:
        return None
    when = _instants(row, pull)
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
    """Nothing moves a lesson on there: one that was completed or cancelled here stays so."""
    if stored is None or not lesson.is_live:
        return lesson
    if stored.status == "completed" and lesson.ends_at <= now:
        return replace(lesson, status="completed")
    if stored.status == "cancelled" and stored.cancelled_by is not None:
        return replace(lesson, status="cancelled")
    return lesson


def _topics(topics: Any) -> str | None:
    """The topics of a lesson as text; a list there, often the message of its request."""
    if isinstance(topics, list):
        return "\n".join(str(topic) for topic in topics if topic) or None
    return str(topics) if topics else None


def _store(
    session: Session, lessons: Sequence[tuple[Incoming, PlatformLesson]]
) -> tuple[dict[int, int], dict[int, tuple[Refusal, ...]]]:
    """Our ids of those that could be stored, and why the others could not, both by platform id."""
    if not lessons:
        return {}, {}
    found = find_collisions([lesson for _, lesson in lessons], neighbours(session, [lesson for _, lesson in lessons]))
    free = [pair for pair, collision in zip(lessons, found, strict=True) if collision is None]
    ids = store_lessons(session, [lesson for _, lesson in free])
    by_platform_id = {incoming.row.id: our_id for (incoming, _), our_id in zip(free, ids, strict=True)}
    platform_ids = [incoming.row.id for incoming, _ in lessons]
    return by_platform_id, collision_refusals(session, platform_ids, found)


def _set_alarms(session: Session, lessons: Sequence[tuple[Row, int]]) -> None:
    """Bring the alarms that the import has set in line with the platform's switches."""
    before = {
        link.platform_id: int(link.digest)
        for link in read_links(session, _ALARM, [row.id for row, _ in lessons]).values()
    }
    wanted = {row.id: alarm_minutes(row.alarm_before_minutes) for row, _ in lessons if row.alarm_enabled}
    ids = {row.id: our_id for row, our_id in lessons}
    gone = {row_id: minutes for row_id, minutes in before.items() if wanted.get(row_id) != minutes}
    clear_platform_alarms(session, {ids[row_id]: minutes for row_id, minutes in gone.items()})
    remove_links(session, _ALARM, gone)
    set_platform_alarms(session, {ids[row_id]: minutes for row_id, minutes in wanted.items()})
    set_now = [Link(row_id, ids[row_id], str(minutes).encode()) for row_id, minutes in wanted.items()]
    write_links(session, _ALARM, set_now)


def _needs_plan(incoming: Incoming, lesson: PlatformLesson, ids: Mapping[int, int], pull: Pull) -> bool:
    """Whether reminders may have changed: of lessons to come, and of those that were stored before."""
    return incoming.row.id in ids and (lesson.id is not None or lesson.starts_at > pull.now)
