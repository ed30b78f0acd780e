"""Whether a lesson was held: which participants joined its whiteboard. The rule is pure; the rest reads who joined."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

# Starting a board counts as attending: a tutor who opens it, draws and never "joins" was there.
_VISITORS = text(
    "SELECT DISTINCT schedule_id, profile_type, profile_id FROM lesson_visitors WHERE schedule_id = ANY(:ids)"
)
_STUDENTS = text(
    """
    SELECT id AS schedule_id, student_id FROM tutor_schedules WHERE id = ANY(:ids) AND student_id IS NOT NULL
     UNION SELECT schedule_id, student_id FROM schedule_participants WHERE schedule_id = ANY(:ids)
    """
)
_TUTORS = text("SELECT id, tutor_id FROM tutor_schedules WHERE id = ANY(:ids)")


@dataclass(frozen=True)
class Presence:
    """Who belongs to a lesson, and who attended: (profile type, profile id) of all who joined or started its boards.

    `there` is None when the lesson had no board.
    """

    tutor_id: int
    student_ids: frozenset[int]
    there: frozenset[tuple[str, int]] | None


def attendance(presence: Presence) -> str:
    """`held`: the tutor and at least one student of the lesson joined; `missed`: not both; `unknown`: no board."""
    if presence.there is None:
        return "unknown"
    students = {("student", student_id) for student_id in presence.student_ids}
    tutor = ("tutor", presence.tutor_id)
    return "held" if tutor in presence.there and students & presence.there else "missed"


def attendances(session: Session, schedule_ids: Sequence[int]) -> dict[int, str]:
    """The current attendance of each of these lessons."""
    ids = {"ids": list(schedule_ids)}
    boards: dict[int, set[tuple[str, int]]] = {}
    for schedule_id, profile_type, profile_id in session.execute(_VISITORS, ids):
        there = boards.setdefault(schedule_id, set())
        if profile_id is not None:
            there.add((profile_type, profile_id))
    students: defaultdict[int, set[int]] = defaultdict(set)
    for schedule_id, student_id in session.execute(_STUDENTS, ids):
        students[schedule_id].add(student_id)
    by_lesson: dict[int, str] = {}
    for schedule_id, tutor_id in session.execute(_TUTORS, ids):
        there_now = frozenset(boards[schedule_id]) if schedule_id in boards else None
        by_lesson[schedule_id] = attendance(Presence(tutor_id, frozenset(students[schedule_id]), there_now))
    return by_lesson
