"""Stored lessons that overlap imported ones and share a person with them."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from pydantic_core import to_json
from sqlalchemy import text
from sqlalchemy.orm import Session

from worker.schedules.platform_lessons import PlatformLesson


@dataclass(frozen=True)
class OverlappingLesson:
    """A stored lesson, not cancelled, that overlaps a lesson to be stored and shares a person with it."""

    id: int
    tutor_id: int
    students: frozenset[int]
    starts_at: datetime
    ends_at: datetime
    status: str


class TwoRoles(NamedTuple):
    """A person who teaches in one lesson and learns in another at the same time."""

    schedule_id: int
    user_id: int
    other_id: int


# Days are compared first, for the indexes on a person followed by a day or a start.
_OVERLAPPING = text(
    """
    WITH wanted AS MATERIALIZED (
        SELECT * FROM json_to_recordset(CAST(:rows AS json))
                   AS row (number integer, tutor_id integer, students integer[], schedule_date date,
                           starts_at timestamptz, ends_at timestamptz)),
    near AS (
        SELECT wanted.number, lesson.id
          FROM wanted
          JOIN tutor_schedules lesson
            ON lesson.tutor_id = wanted.tutor_id
           AND lesson.schedule_date BETWEEN wanted.schedule_date - 2 AND wanted.schedule_date + 2
           AND lesson.starts_at < wanted.ends_at AND lesson.ends_at > wanted.starts_at
         WHERE lesson.student_id IS NOT NULL AND lesson.status <> 'cancelled'
         UNION
        SELECT wanted.number, seat.schedule_id
          FROM wanted CROSS JOIN unnest(wanted.students) AS student (id)
          JOIN schedule_participants seat
            ON seat.student_id = student.id AND seat.starts_at > wanted.starts_at - interval '2 days'
           AND seat.starts_at < wanted.ends_at AND seat.ends_at > wanted.starts_at
         WHERE seat.status <> 'cancelled')
    SELECT near.number, lesson.id, lesson.tutor_id, lesson.starts_at, lesson.ends_at, lesson.status,
           ARRAY(SELECT student_id FROM schedule_participants WHERE schedule_id = lesson.id) AS students
      FROM near JOIN tutor_schedules lesson ON lesson.id = near.id
     ORDER BY near.number, lesson.id
    """
)
# Hardly anybody has both roles, so those people are found first: the planner has no statistics of tables that an import
# has just filled.
_TWO_ROLES = text(
    """
    WITH mine AS MATERIALIZED (
        SELECT id, tutor_id, starts_at, ends_at FROM tutor_schedules
         WHERE id = ANY(:ids) AND status IN ('scheduled', 'in_progress')),
    teaching AS MATERIALIZED (
        SELECT mine.id, mine.starts_at, mine.ends_at, student.id AS student_id, student.user_id
          FROM mine JOIN tutor_profiles tutor ON tutor.id = mine.tutor_id
          JOIN student_profiles student ON student.user_id = tutor.user_id),
    learning AS MATERIALIZED (
        SELECT mine.id, mine.starts_at, mine.ends_at, tutor.id AS tutor_id, tutor.user_id
          FROM mine JOIN schedule_participants seat ON seat.schedule_id = mine.id
          JOIN student_profiles student ON student.id = seat.student_id
          JOIN tutor_profiles tutor ON tutor.user_id = student.user_id)
    SELECT teaching.id, teaching.user_id, other.schedule_id
      FROM teaching CROSS JOIN LATERAL (
          SELECT seat.schedule_id FROM schedule_participants seat
           WHERE seat.student_id = teaching.student_id AND seat.status IN ('scheduled', 'in_progress')
             AND seat.starts_at > teaching.starts_at - interval '2 days'
             AND seat.starts_at < teaching.ends_at AND seat.ends_at > teaching.starts_at
          OFFSET 0) AS other
     UNION
    SELECT learning.id, learning.user_id, other.id
      FROM learning CROSS JOIN LATERAL (
          SELECT lesson.id FROM tutor_schedules lesson
           WHERE lesson.tutor_id = learning.tutor_id AND lesson.student_id IS NOT NULL
             AND lesson.status IN ('scheduled', 'in_progress')
             AND lesson.schedule_date BETWEEN (learning.starts_at - interval '3 days')::date
                                          AND (learning.ends_at + interval '1 day')::date
             AND lesson.starts_at < learning.ends_at AND lesson.ends_at > learning.starts_at
          OFFSET 0) AS other
     ORDER BY 1, 2, 3
    """
)


def overlapping_lessons(session: Session, lessons: Sequence[PlatformLesson]) -> list[list[OverlappingLesson]]:
    """For each lesson, the other stored lessons at the same time that share a person with it."""
    rows = [
        {
            "number": number,
            "tutor_id": lesson.tutor_id,
            "students": sorted(lesson.students),
            "schedule_date": lesson.schedule_date,
            "starts_at": lesson.starts_at,
            "ends_at": lesson.ends_at,
        }
        for number, lesson in enumerate(lessons)
    ]
    near: list[list[OverlappingLesson]] = [[] for _ in lessons]
    for number, lesson_id, tutor_id, starts_at, ends_at, status, students in session.execute(
        _OVERLAPPING, {"rows": to_json(rows).decode()}
    ):
        if lesson_id != lessons[number].id:
            near[number].append(OverlappingLesson(lesson_id, tutor_id, frozenset(students), starts_at, ends_at, status))
    return near


def people_in_two_roles(session: Session, ids: Collection[int]) -> dict[int, list[TwoRoles]]:
    """People of these lessons who have another one at the same time in another role, which the constraints allow."""
    roles: defaultdict[int, list[TwoRoles]] = defaultdict(list)
    for row in session.execute(_TWO_ROLES, {"ids": list(ids)}):
        roles[row[0]].append(TwoRoles(*row))
    return roles
