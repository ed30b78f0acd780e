"""Whom a lesson or a whiteboard session concerns: its tutor, its students and their parents; active ones only."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

# How somebody stands to a lesson. Who does in several ways is told as the first of them.
VIEWS = ("tutor", "student", "parent")

# A common table expression over another one, `lesson (id, tutor_id, …)`: its columns, for each way in which somebody
# has to do with it. `view` counts VIEWS from 1; `student_user_id` is the student by whom they do.
PERSON = """
    person AS (
        SELECT lesson.*, tutor.user_id, 1 AS view, NULL::integer AS student_user_id
          FROM lesson JOIN tutor_profiles tutor ON tutor.id = lesson.tutor_id AND tutor.is_active
         UNION ALL
        SELECT lesson.*, student.user_id, 2, student.user_id
          FROM lesson
          JOIN schedule_participants seat ON seat.schedule_id = lesson.id
          JOIN student_profiles student ON student.id = seat.student_id AND student.is_active
         UNION ALL
        SELECT lesson.*, parent.user_id, 3, student.user_id
          FROM lesson
          JOIN schedule_participants seat ON seat.schedule_id = lesson.id
          JOIN student_profiles student ON student.id = seat.student_id
         CROSS JOIN unnest(student.parent_id) AS child_of (parent_id)
          JOIN parent_profiles parent ON parent.id = child_of.parent_id AND parent.is_active)
"""
# A booking's lessons are its tutor's and student's; a board without one is whose profile it names.
_OF_SESSION = text(
    """
    WITH board AS (SELECT * FROM whiteboard_sessions WHERE id = :id),
    profile (type, id) AS (
        SELECT 'tutor', booking.tutor_id
          FROM board JOIN tutor_student_bookings booking ON booking.id = board.booking_id
         UNION
        SELECT 'student', booking.student_id
          FROM board JOIN tutor_student_bookings booking ON booking.id = board.booking_id
         UNION
        SELECT host_profile_type, host_profile_id FROM board WHERE host_profile_id IS NOT NULL
         UNION
        SELECT member.type, member.id
          FROM board CROSS JOIN unnest(participant_profile_types, participant_profile_ids) AS member (type, id)),
    everybody AS (
        SELECT user_id, is_active FROM tutor_profiles JOIN profile USING (id) WHERE type = 'tutor'
         UNION
        SELECT user_id, is_active FROM student_profiles JOIN profile USING (id) WHERE type = 'student'
         UNION
        SELECT user_id, is_active FROM parent_profiles JOIN profile USING (id) WHERE type = 'parent'
         UNION
        SELECT parent.user_id, parent.is_active
          FROM profile
          JOIN student_profiles student ON student.id = profile.id AND profile.type = 'student'
          JOIN parent_profiles parent ON parent.id = ANY(student.parent_id))
    SELECT DISTINCT user_id FROM everybody WHERE is_active ORDER BY user_id
    """
)
# Each branch by an index of its own.
_LESSONS_OF = text(
    """
    SELECT lesson.id FROM tutor_profiles tutor JOIN tutor_schedules lesson ON lesson.tutor_id = tutor.id
     WHERE tutor.user_id = :user_id AND lesson.starts_at > :now AND lesson.student_id IS NOT NULL
     UNION
    SELECT seat.schedule_id
      FROM student_profiles student JOIN schedule_participants seat ON seat.student_id = student.id
     WHERE student.user_id = :user_id AND seat.starts_at > :now
     UNION
    SELECT seat.schedule_id
      FROM parent_profiles parent
      JOIN student_profiles student ON student.parent_id @> ARRAY[parent.id]
      JOIN schedule_participants seat ON seat.student_id = student.id
     WHERE parent.user_id = :user_id AND seat.starts_at > :now
    """
)


def people_of_session(session: Session, session_id: int) -> Sequence[int]:
    """Ids of the users of a whiteboard session: those of its booking, its host, who took part, and parents."""
    return session.scalars(_OF_SESSION, {"id": session_id}).all()


def lessons_of_person(session: Session, user_id: int, now: datetime) -> Sequence[int]:
    """Ids of the lessons to come that concern a user."""
    return session.scalars(_LESSONS_OF, {"user_id": user_id, "now": now}).all()
