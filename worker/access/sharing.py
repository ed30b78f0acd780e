"""Whom a person may name in a whiteboard session: those with whom they share a booking or a lesson."""

from collections.abc import Set as AbstractSet

from sqlalchemy import text
from sqlalchemy.orm import Session

# A profile: its type (tutor, student or parent) and its id.
Profile = tuple[str, int]

# Related by an agreed booking or by a lesson that has not ended (booking a slot makes no row of bookings). For a tutor:
# the students and their parents. For a student: the tutors and the student's own parents, but no others of a group.
_KNOWN = text(
    """
    WITH pair AS (
        SELECT tutor_id, agreed_student_id AS student_id
          FROM tutor_student_bookings
         WHERE status IN ('active', 'paused')
           AND (:type = 'tutor' AND tutor_id = :id OR :type = 'student' AND agreed_student_id = :id)
         UNION
        SELECT lesson.tutor_id, seat.student_id
          FROM tutor_schedules lesson
          JOIN schedule_participants seat ON seat.schedule_id = lesson.id
         WHERE seat.status IN ('scheduled', 'in_progress')
           AND (:type = 'tutor' AND lesson.tutor_id = :id OR :type = 'student' AND seat.student_id = :id)),
    learner AS (
        SELECT student_id AS id FROM pair
         UNION
        SELECT CAST(:id AS integer) WHERE :type = 'student')
    SELECT 'tutor', tutor.id FROM pair JOIN tutor_profiles tutor ON tutor.id = pair.tutor_id AND tutor.is_active
     UNION
    SELECT 'student', student.id
      FROM learner JOIN student_profiles student ON student.id = learner.id AND student.is_active
     UNION
    SELECT 'parent', parent.id
      FROM learner
      JOIN student_profiles student ON student.id = learner.id AND student.is_active
     CROSS JOIN unnest(student.parent_id) AS child_of (parent_id)
      JOIN parent_profiles parent ON parent.id = child_of.parent_id AND parent.is_active
    """
)


def known_to(session: Session, host: Profile) -> AbstractSet[Profile]:
    """The active profiles that `host` may name, their own included.

    Reads all of them in one statement, whichever id a request names, so that its duration reveals nothing about the id.
    """
    profile_type, profile_id = host
    rows = session.execute(_KNOWN, {"type": profile_type, "id": profile_id})
    return {(row[0], row[1]) for row in rows} | {host}
