"""Rows of `sessions` become lessons of their group's tutor and students. Weekly rules of groups are not expanded.

Lessons are not stored through commands, which notify people. Reminders are planned, but only for alarms that people
have set, here or by the platform's switch.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from worker.platform.catalog import Column
from worker.platform.connection import Row
from worker.platform.links import Link, remove_links
from worker.platform.refusals import Refusal
from worker.platform.source import Join, Source
from worker.reminders.planning.plan import lock_series_of, plan_reminders
from worker.schedules.platform_lessons import PlatformLesson, cancel_lessons, lock_lessons, store_lessons
from worker.schedules.platform_overlaps import overlapping_lessons
from worker.workflows.platform_import.bookings.lesson_kinds import LESSON
from worker.workflows.platform_import.kind import ImportOutcome, IncomingRow, Kind, Pull
from worker.workflows.platform_import.lessons.collisions import find_collisions
from worker.workflows.platform_import.lessons.convert_lesson import convert_lesson, lesson_instants
from worker.workflows.platform_import.lessons.lesson_alarms import ALARM, set_alarms
from worker.workflows.platform_import.lessons.lesson_people import read_known_people
from worker.workflows.platform_import.lessons.lesson_refusals import WITHOUT_COURSE, collision_refusals, two_role_notes
from worker.workflows.platform_import.unknown_words import unknown_lesson_words

_GROUP = {
    "tutor_id": Column("enrolled_courses", "tutor_id", "integer"),
    "students_id": Column("enrolled_courses", "students_id", "integer[]"),
}


class Lessons(Kind):
    """A lesson names neither tutor nor students: both come from its group, whose changes leave no trace.

    One that has lost its people is cancelled here, and restored when the group has some again.
    """

    name = LESSON
    source = Source(
        "sessions",
        {
            "id": Column("sessions", "id", "integer", required=True),
            **_GROUP,
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
    has_local_times = True

    def store(self, session: Session, rows: Sequence[IncomingRow], pull: Pull) -> Sequence[ImportOutcome]:
        lock_series_of(session, [incoming.id for incoming in rows if incoming.id is not None])
        stored = lock_lessons(session, [incoming.id for incoming in rows if incoming.id is not None])
        known = read_known_people(session, [incoming.row for incoming in rows], pull)
        wanted = [(incoming, convert_lesson(incoming, known, stored, pull)) for incoming in rows]
        lessons = [(incoming, lesson) for incoming, lesson in wanted if lesson is not None]
        without_people = _without_people(wanted, pull)
        cancel_lessons(session, without_people)
        ids, refusals = _store(session, lessons)
        set_alarms(session, [(incoming.row, ids[incoming.row.id]) for incoming, _ in lessons if incoming.row.id in ids])
        notes = two_role_notes(session, ids)
        ahead = [ids[incoming.row.id] for incoming, lesson in lessons if _needs_plan(incoming, lesson, ids, pull)]
        plan_reminders(session, [*ahead, *without_people], now=pull.now)
        return [
            ImportOutcome(
                incoming.row.id,
                ids.get(incoming.row.id, incoming.id),
                refusals.get(incoming.row.id)
                or ((WITHOUT_COURSE,) if lesson is None else (*_unknown_words(incoming.row), *notes[incoming.row.id])),
            )
            for incoming, lesson in wanted
        ]

    def remove(self, session: Session, links: Sequence[Link], pull: Pull) -> None:
        """Cancel those that have not ended; nobody is notified, and no further reminder is sent."""
        ids = [link.id for link in links if link.id is not None]
        lock_series_of(session, ids)
        cancel_lessons(session, ids)
        remove_links(session, ALARM, [link.platform_id for link in links])
        plan_reminders(session, ids, now=pull.now)

    def may_retry(self, row: Row, pull: Pull) -> bool:
        """Not lessons that have ended: they were refused because of others that were stored then."""
        return lesson_instants(row, pull).ends_at > pull.now


def _store(
    session: Session, lessons: Sequence[tuple[IncomingRow, PlatformLesson]]
) -> tuple[dict[int, int], dict[int, tuple[Refusal, ...]]]:
    """Our ids of those that could be stored, and why the others could not, both by platform id."""
    if not lessons:
        return {}, {}
    collisions = find_collisions(
        [lesson for _, lesson in lessons], overlapping_lessons(session, [lesson for _, lesson in lessons])
    )
    free = [pair for pair, collision in zip(lessons, collisions, strict=True) if collision is None]
    ids = store_lessons(session, [lesson for _, lesson in free])
    by_platform_id = {incoming.row.id: our_id for (incoming, _), our_id in zip(free, ids, strict=True)}
    platform_ids = [incoming.row.id for incoming, _ in lessons]
    return by_platform_id, collision_refusals(session, platform_ids, collisions)


def _without_people(wanted: Sequence[tuple[IncomingRow, PlatformLesson | None]], pull: Pull) -> list[int]:
    """Our ids of stored lessons whose group has no tutor or students any more; none while its columns are missing."""
    if not all(pull.catalog.has(column) for column in _GROUP.values()):
        return []
    return [incoming.id for incoming, lesson in wanted if lesson is None and incoming.id is not None]


def _needs_plan(incoming: IncomingRow, lesson: PlatformLesson, ids: Mapping[int, int], pull: Pull) -> bool:
    """Whether reminders may have changed: those of future lessons, and of lessons stored before."""
    return incoming.row.id in ids and (lesson.id is not None or lesson.starts_at > pull.now)


def _unknown_words(row: Row) -> tuple[Refusal, ...]:
    return unknown_lesson_words(row.status, row.session_mode)
