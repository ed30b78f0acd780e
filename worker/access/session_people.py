"""The people of a whiteboard session: its tutor or host, its students and their parents; active ones only."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from worker.access.sharing import Profile, known_to

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


def people_of_session(session: Session, session_id: int) -> Sequence[int]:
    """Ids of the users of a whiteboard session whom its tutor or host may still notify.

    Its tutor or host; the student of its booking while that is active or paused; without a booking, the participants
    who have a seat in its lesson or share a booking or lesson with the host now; and the parents of these students.
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
