"""Read the lessons that make people busy."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, literal, select, union_all
from sqlalchemy.orm import Session

from models.schedules import Schedule, ScheduleParticipant
from worker.recurrence.instants import Instants
from worker.schedules.conflicts.busy_times import STUDENT, TUTOR, BusyTimes, Person
from worker.schedules.conflicts.clash import STUDENT_BUSY, TUTOR_BUSY, ScheduleClash

LIVE = ("scheduled", "in_progress")
# Longer than any lesson, and than the difference between a local and a UTC day: earlier lessons have ended.
_MARGIN = timedelta(days=2)


def read_busy(
    session: Session,
    *,
    tutors: Collection[int],
    students: Collection[int],
    since: datetime,
    until: datetime,
    without: Collection[int] = (),
) -> BusyTimes:
    """The live lessons of these people between two instants, except those with the ids `without`."""
    busy = BusyTimes()
    left_out = frozenset(without)
    rows = read_lesson_times(session, tutors=tutors, students=students, since=since, until=until)
    for kind, person_id, starts_at, ends_at, schedule_id in rows:
        if schedule_id not in left_out:
            busy.take(Person(kind, person_id), starts_at, ends_at, schedule_id)
    return busy


def read_lesson_times(
    session: Session, *, tutors: Collection[int], students: Collection[int], since: datetime, until: datetime
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Kind and id of the person, times and id of each live lesson that overlaps the interval.

    A student's lesson occurs a second time for their participation.
    """
    return session.execute(_lessons(tutors, students, since, until)).all()


def find_conflicts(
    session: Session,
    *,
    tutor_id: int,
    students: Collection[int],
    day: date,
    when: Instants,
    without: Collection[int] = (),
) -> list[ScheduleClash]:
    """What a lesson of these people would collide with; a slot has no students, so it occupies nobody's time."""
    if not students:
        return []
    since, until = when
    busy = read_busy(session, tutors=[tutor_id], students=students, since=since, until=until, without=without)
    clashes = []
    other = busy.find(Person(TUTOR, tutor_id), since, until)
    if other is not None:
        clashes.append(ScheduleClash(day, since, until, TUTOR_BUSY, other))
    for student_id in sorted(students):
        other = busy.find(Person(STUDENT, student_id), since, until)
        if other is not None:
            clashes.append(ScheduleClash(day, since, until, STUDENT_BUSY, other, student_id))
    return clashes


def _lessons(
    tutors: Collection[int], students: Collection[int], since: datetime, until: datetime
) -> Select[*tuple[Any, ...]]:
    """Kind and id of the person, times and id of the lesson. Each branch uses an index that begins with the person."""
    days = Schedule.schedule_date.between((since - _MARGIN).date(), (until + _MARGIN).date())
    own = (
        Schedule.student_id.is_not(None),
        Schedule.status.in_(LIVE),
        Schedule.starts_at < until,
        Schedule.ends_at > since,
        days,
    )
    theirs = (
        ScheduleParticipant.status.in_(LIVE),
        ScheduleParticipant.starts_at.between(since - _MARGIN, until),
        ScheduleParticipant.starts_at < until,
        ScheduleParticipant.ends_at > since,
    )
    times = (Schedule.starts_at, Schedule.ends_at, Schedule.id)
    branches = union_all(
        select(literal(TUTOR).label("kind"), Schedule.tutor_id.label("person_id"), *times).where(
            Schedule.tutor_id.in_(tutors), *own
        ),
        select(literal(STUDENT), Schedule.student_id, *times).where(Schedule.student_id.in_(students), *own),
        select(
            literal(STUDENT),
            ScheduleParticipant.student_id,
            ScheduleParticipant.starts_at,
            ScheduleParticipant.ends_at,
            ScheduleParticipant.schedule_id,
        ).where(ScheduleParticipant.student_id.in_(students), *theirs),
    ).subquery()
    return select(*branches.c)


def tutor_lessons(session: Session, tutor_id: int, since: datetime, until: datetime) -> list[Instants]:
    """When the tutor teaches between two instants, in order."""
    rows = session.execute(_lessons([tutor_id], [], since, until)).all()
    return sorted(Instants(row.starts_at, row.ends_at) for row in rows)
