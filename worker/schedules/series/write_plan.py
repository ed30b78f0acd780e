"""Write a plan in bulk: rows of lessons, their participants, and skips. Rows keep their ids."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice

import psycopg
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.series import ScheduleSkip
from worker.calendars.zones import tzdata_version
from worker.database import errors_of_sqlalchemy
from worker.schedules.series.columns import SHARED, copy_line
from worker.schedules.series.planned_lessons import Plan, PlannedLesson
from worker.schedules.series.series_state import SeriesState

_COPY_LESSONS = f"""
    COPY tutor_schedules (id, schedule_date, occurrence_date, starts_at, ends_at, student_id, student_name, booking_id,
                          series_id, tutor_id, is_recurring, status, tzdata_version, {", ".join(SHARED)}) FROM STDIN
"""
_COPY_PARTICIPANTS = """
    COPY schedule_participants (schedule_id, student_id, booking_id, starts_at, ends_at, status) FROM STDIN
"""
# Lines per write: enough that writes are few, few enough for the server to begin early.
_PIECE = 200
# PostgreSQL checks each row as it is written: of two that swap places the first would collide with the old position of
# the second. So all are moved aside first, participants with them.
_STEP_ASIDE = text(
    "UPDATE tutor_schedules SET status = 'cancelled' WHERE id = ANY(:ids) AND status = 'scheduled' RETURNING id"
)
_CALL_OFF = text(
    """
    UPDATE tutor_schedules
       SET status = 'cancelled', cancelled_by = 'series', sequence = sequence + 1, updated_at = now()
     WHERE id = ANY(:ids) AND status = 'scheduled'
    """
)
_CLEAR = text("DELETE FROM schedule_participants WHERE schedule_id = ANY(:ids)")
_PLANNED = """
    FROM unnest(CAST(:ids AS integer[]), CAST(:days AS date[]), CAST(:starts AS timestamptz[]),
                CAST(:ends AS timestamptz[]), CAST(:students AS integer[]), CAST(:names AS varchar[]),
                CAST(:bookings AS integer[]))
         AS planned (id, day, starts_at, ends_at, student_id, student_name, booking_id)
   WHERE lesson.id = planned.id
"""
_PEOPLE = """
    status = 'scheduled', cancelled_by = NULL, student_id = planned.student_id, student_name = planned.student_name,
    booking_id = planned.booking_id, sequence = sequence + 1, updated_at = now()
"""
_ENROL = text(f"UPDATE tutor_schedules lesson SET {_PEOPLE} {_PLANNED}")  # noqa: S608 - parts of our own
_REWRITE = text(
    f"""
    UPDATE tutor_schedules lesson
       SET {_PEOPLE}, schedule_date = planned.day, starts_at = planned.starts_at, ends_at = planned.ends_at,
           tzdata_version = :tzdata_version, {", ".join(f"{name} = :{name}" for name in SHARED)}
    {_PLANNED}
    """  # noqa: S608 - names of our own columns
)


def write_plan(session: Session, plan: Plan) -> None:
    """Write the plan. Raises DBAPIError for an ExclusionViolation when a concurrent transaction was first."""
    if plan.cancelled:
        session.execute(_CALL_OFF, {"ids": plan.cancelled})
    if plan.changed:
        _change(session, plan.changed)
    if plan.new:
        _copy(session, _COPY_LESSONS, _lesson_lines(plan.new))
        _enrol(session, plan.new)
    _skip(session, plan)


def _change(session: Session, lessons: Sequence[PlannedLesson]) -> None:
    stepped = set(session.scalars(_STEP_ASIDE, {"ids": [lesson.id for lesson in lessons]}))
    # A lesson that has begun since planning stays as it is. Those cancelled with their series are moved aside.
    lessons = [
        lesson
        for lesson in lessons
        if lesson.stored is not None and (lesson.id in stepped or not lesson.stored.scheduled)
    ]
    others = [
        lesson for lesson in lessons if lesson.stored is not None and lesson.stored.participants != _bookings(lesson)
    ]
    session.execute(_CLEAR, {"ids": [lesson.id for lesson in others]})
    by_hand = [lesson for lesson in lessons if lesson.stored is not None and lesson.stored.is_override]
    if by_hand:
        session.execute(_ENROL, _arrays(by_hand))
    own = [lesson for lesson in lessons if lesson.stored is not None and not lesson.stored.is_override]
    for _series_id, group in groupby(sorted(own, key=_series_id_of), key=_series_id_of):
        same = list(group)
        content = dict(zip(SHARED, same[0].state.content, strict=True))
        session.execute(_REWRITE, {**_arrays(same), **content, "tzdata_version": tzdata_version()})
    _enrol(session, others)


def _series_id_of(lesson: PlannedLesson) -> int:
    return lesson.state.series_id


def _bookings(lesson: PlannedLesson) -> dict[int, int]:
    return {attendee.student_id: attendee.booking_id for attendee in lesson.attendees}


def _arrays(lessons: Sequence[PlannedLesson]) -> dict[str, list[object]]:
    students, names, bookings = zip(*(lesson.named for lesson in lessons), strict=True)
    return {
        "ids": [lesson.id for lesson in lessons],
        "days": [lesson.day for lesson in lessons],
        "starts": [lesson.starts_at for lesson in lessons],
        "ends": [lesson.ends_at for lesson in lessons],
        "students": list(students),
        "names": list(names),
        "bookings": list(bookings),
    }


def _enrol(session: Session, lessons: Sequence[PlannedLesson]) -> None:
    lines = _participant_lines(lessons)
    if any(lesson.attendees for lesson in lessons):
        _copy(session, _COPY_PARTICIPANTS, lines)


def _lesson_lines(lessons: Iterable[PlannedLesson]) -> Iterator[str]:
    """Thousands of lines: the part that all lessons of a series share is formatted once."""
    shared: dict[int, str] = {}
    for lesson in lessons:
        state = lesson.state
        rest = shared.get(state.series_id)
        if rest is None:
            rest = shared[state.series_id] = _shared_part(state)
        day = lesson.day.isoformat()
        times = f"{lesson.starts_at.isoformat()}\t{lesson.ends_at.isoformat()}"
        yield f"{lesson.id}\t{day}\t{day}\t{times}\t{copy_line(*lesson.named)}\t{rest}\n"


def _shared_part(state: SeriesState) -> str:
    return copy_line(state.series_id, state.tutor_id, True, "scheduled", tzdata_version(), *state.content)


def _participant_lines(lessons: Iterable[PlannedLesson]) -> Iterator[str]:
    for lesson in lessons:
        times = f"{lesson.starts_at.isoformat()}\t{lesson.ends_at.isoformat()}"
        for attendee in lesson.attendees:
            yield f"{lesson.id}\t{attendee.student_id}\t{attendee.booking_id}\t{times}\tscheduled\n"


def _copy(session: Session, statement: str, lines: Iterator[str]) -> None:
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)  # noqa: S101 - the connection that Database creates
    with errors_of_sqlalchemy(session), connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        # The server stores one piece while the next one is made.
        while piece := "".join(islice(lines, _PIECE)):
            copy.write(piece)


def _skip(session: Session, plan: Plan) -> None:
    if not plan.skips:
        return
    rows = [
        {
            "series_id": skip.series_id,
            "occurrence_date": skip.day,
            "student_id": skip.student_id,
            "reason": skip.reason,
            "schedule_id": skip.schedule_id,
        }
        for skip in plan.skips
    ]
    session.execute(insert(ScheduleSkip).on_conflict_do_nothing(), rows)
