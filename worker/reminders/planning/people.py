"""The people of a lesson or a whiteboard session: its tutor, its students and their parents; active ones only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from worker.access.sharing import Profile, known_to

# The relations of a person to a lesson. A person with several counts as the first of them.
VIEWS = ("tutor", "student", "parent")

# A CTE over another one, `lesson (id, tutor_id, …)`: its columns, once for each relation of a person
# to it. `view` counts VIEWS from 1; `student_user_id` is the student through whom the relation exists.
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
_BOARD = text(
    """
    SELECT board.host_profile_type, board.host_profile_id, board.participant_profile_types,
           board.participant_profile_ids, booking.tutor_id, booking.agreed_student_id,
           booking.status IN ('active', 'paused') AS goes_on,
           ARRAY(SELECT student_id FROM schedule_participants seat
                  WHERE seat.schedule_id = board.schedule_id AND seat.status <> 'cancelled') AS seated
      FROM whiteboard_sessions board
      LEFT JOIN tutor_student_bookings booking ON booking.id = board.booking_id
     WHERE board.id = :id
    """
)
_USERS = text(
    """
    WITH profile (type, id) AS (SELECT * FROM unnest(CAST(:types AS varchar[]), CAST(:ids AS integer[]))),
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
# Each branch uses an index of its own.
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


_FAMILY = text(
    """
    SELECT student.user_id, NULL::integer AS parent_user_id,
           concat_ws(' ', first_name, father_name, grandfather_name, last_name) AS name
      FROM student_profiles student JOIN users ON users.id = student.user_id
     WHERE student.id = :id AND student.is_active
     UNION ALL
    SELECT NULL, parent.user_id, NULL
      FROM student_profiles student
     CROSS JOIN unnest(student.parent_id) AS child_of (parent_id)
      JOIN parent_profiles parent ON parent.id = child_of.parent_id AND parent.is_active
     WHERE student.id = :id AND student.is_active
    """
)


@dataclass(frozen=True)
class Family:
    """The users of a student (one, or none) and of their parents; `name` is the student's."""

    student: Sequence[int]
    parents: Sequence[int]
    name: str | None


def family_of(session: Session, student_id: int) -> Family:
    """The family of a student; empty when there is no active student of this id."""
    rows = session.execute(_FAMILY, {"id": student_id}).all()
    students = [row.user_id for row in rows if row.user_id is not None]
    # A person who is both student and parent counts as the student.
    parents = {row.parent_user_id for row in rows if row.parent_user_id is not None} - set(students)
    return Family(students, sorted(parents), next((row.name for row in rows if row.name), None))


def people_of_session(session: Session, session_id: int) -> Sequence[int]:
    """Ids of the users of a whiteboard session whom its tutor or host may still notify.

    Its tutor or host; the student of its booking while that is active; without a booking, those it names who took part
    in its lesson or share a booking or lesson with the host now; and the parents of these students.
    """
    board = session.execute(_BOARD, {"id": session_id}).one_or_none()
    if board is None:
        return []
    profiles = set[Profile]()
    host: Profile | None = None
    if board.host_profile_id is not None:
        host = (board.host_profile_type, board.host_profile_id)
        profiles.add(host)
    if board.tutor_id is not None:
        profiles.add(("tutor", board.tutor_id))
        if board.goes_on:
            profiles.add(("student", board.agreed_student_id))
    else:
        known = set(known_to(session, host)) if host is not None else set[Profile]()
        known |= {("student", student_id) for student_id in board.seated}
        named = zip(board.participant_profile_types, board.participant_profile_ids, strict=True)
        profiles |= known.intersection(named)
    types, ids = zip(*profiles, strict=True) if profiles else ((), ())
    return session.scalars(_USERS, {"types": list(types), "ids": list(ids)}).all()


def teachers_of_session(session: Session, session_id: int) -> Sequence[int]:
    """Ids of the users who lead a whiteboard session: its tutor, or its host; empty when they are not active."""
    board = session.execute(_BOARD, {"id": session_id}).one_or_none()
    if board is None:
        return []
    tutor = ("tutor", board.tutor_id) if board.tutor_id is not None else None
    leader = tutor or (board.host_profile_type, board.host_profile_id)
    if leader[1] is None:
        return []
    return session.scalars(_USERS, {"types": [leader[0]], "ids": [leader[1]]}).all()


def lessons_of_person(session: Session, user_id: int, now: datetime) -> Sequence[int]:
    """Ids of the future lessons that concern a user."""
    return session.scalars(_LESSONS_OF, {"user_id": user_id, "now": now}).all()
