"""The people of a lesson and of a student, and the lessons of a person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from worker.access.names import name_sql

# The relations of a person to a lesson. The first one counts if a person has several.
VIEWS = ("tutor", "student", "parent")

# The booked lessons of `:ids` that have instants and are not cancelled, with their people: one row for each relation of
# a person to a lesson, numbered from 1 in the order of VIEWS. `student_user_id` and `username` are those of the student
# through whom the relation exists. The lessons are read once, not once per relation.
PERSON = """
    lesson AS MATERIALIZED (
        SELECT id AS schedule_id, series_id, tutor_id, starts_at, 'lesson:' || id || ':' AS key_begin,
               ':' || extract(epoch FROM starts_at)::bigint AS key_end
          FROM lessons
         WHERE id = ANY(:ids) AND NOT is_slot AND status <> 'cancelled' AND starts_at IS NOT NULL),
    person AS (
        SELECT lesson.*, tutor.user_id, 1 AS relation, NULL::integer AS student_user_id, NULL::varchar AS username
          FROM lesson JOIN tutor_profiles tutor ON tutor.id = lesson.tutor_id AND tutor.is_active
         UNION ALL
        SELECT lesson.*, student.user_id, 2, student.user_id, student.username
          FROM lesson
          JOIN lesson_seats seat USING (schedule_id)
          JOIN student_profiles student ON student.id = seat.student_id AND student.is_active
         UNION ALL
        SELECT lesson.*, parent.user_id, 3, student.user_id, student.username
          FROM lesson
          JOIN lesson_seats seat USING (schedule_id)
          JOIN student_profiles student ON student.id = seat.student_id
         CROSS JOIN unnest(student.parent_id) AS child_of (parent_id)
          JOIN parent_profiles parent ON parent.id = child_of.parent_id AND parent.is_active)
"""

_LESSONS_OF = text("SELECT schedule_id FROM person_lessons WHERE user_id = :user_id AND starts_at > :now")
_FAMILY = text(
    f"""
    SELECT student.user_id, NULL::integer AS parent_user_id, {name_sql("users", "student")} AS name
      FROM student_profiles student JOIN users ON users.id = student.user_id
     WHERE student.id = :id AND student.is_active
     UNION ALL
    SELECT NULL, parent.user_id, NULL
      FROM student_profiles student
     CROSS JOIN unnest(student.parent_id) AS child_of (parent_id)
      JOIN parent_profiles parent ON parent.id = child_of.parent_id AND parent.is_active
     WHERE student.id = :id AND student.is_active
    """  # noqa: S608 - a part of our own
)


@dataclass(frozen=True)
class Family:
    """The users of a student (one, or none) and of their parents; `name` is the student's and may be empty."""

    student: Sequence[int]
    parents: Sequence[int]
    name: str


def family_of(session: Session, student_id: int) -> Family:
    """The family of a student; empty when there is no active student of this id."""
    rows = session.execute(_FAMILY, {"id": student_id}).all()
    students = [row.user_id for row in rows if row.user_id is not None]
    # A person who is both student and parent counts as the student.
    parents = {row.parent_user_id for row in rows if row.parent_user_id is not None} - set(students)
    return Family(students, sorted(parents), next((row.name for row in rows if row.name), ""))


def lessons_of_person(session: Session, user_id: int, now: datetime) -> Sequence[int]:
    """Ids of the future lessons that concern a user."""
    return session.scalars(_LESSONS_OF, {"user_id": user_id, "now": now}).all()
