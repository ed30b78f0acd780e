"""Lessons are in progress from their start and completed at their end. Slots and cancelled lessons do not change.

The clock and the lesson's whiteboard session may both trigger it; the second finds nothing to do. A whiteboard session
is always locked before its lesson, never the other way round.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, text
from sqlalchemy.orm import Session

from worker.schedules.attendance import attendances

# Rows locked by others are left to the next round, so that workers and people who edit a lesson do not wait for one
# another. The states are literals in the SQL because the index of live lessons is partial.
_BEGIN_DUE = text(
    """
    WITH due AS MATERIALIZED (
        SELECT id FROM tutor_schedules
         WHERE student_id IS NOT NULL AND status = 'scheduled' AND starts_at <= :now AND ends_at > :now
         ORDER BY starts_at LIMIT :most FOR UPDATE SKIP LOCKED)
    UPDATE tutor_schedules lesson SET status = 'in_progress', updated_at = now() FROM due WHERE lesson.id = due.id
    """
)
_OVER = text(
    """
    SELECT id FROM tutor_schedules
     WHERE student_id IS NOT NULL AND status IN ('scheduled', 'in_progress')
       AND starts_at <= :now AND ends_at <= :now
     ORDER BY starts_at LIMIT :most FOR UPDATE SKIP LOCKED
    """
)
_BEGIN_ONE = text(
    """
    UPDATE tutor_schedules SET status = 'in_progress', updated_at = now()
     WHERE id = :id AND student_id IS NOT NULL AND status = 'scheduled'
    """
)
# Ordered by id, so that sessions of the same lessons that end concurrently cannot deadlock.
_LOCK = text(
    """
    SELECT id FROM tutor_schedules
     WHERE id = ANY(:ids) AND student_id IS NOT NULL AND status <> 'cancelled'
     ORDER BY id FOR UPDATE
    """
)
_COMPLETE = text(
    """
    UPDATE tutor_schedules lesson SET status = 'completed', attendance = found.attendance, updated_at = now()
      FROM unnest(CAST(:ids AS integer[]), CAST(:attendances AS text[])) AS found (id, attendance)
     WHERE lesson.id = found.id AND (lesson.status <> 'completed' OR lesson.attendance <> found.attendance)
    """
)


def begin_lessons(session: Session, *, now: datetime, most: int) -> int:
    """Set at most `most` lessons that have started and not ended to in progress; return how many."""
    return _rows(session, _BEGIN_DUE, now=now, most=most)


def complete_lessons(session: Session, *, now: datetime, most: int) -> int:
    """Complete at most `most` ended lessons, with attendance, even if never in progress; return how many."""
    ids = session.scalars(_OVER, {"now": now, "most": most}).all()
    return _complete(session, ids)


def begin_lesson(session: Session, schedule_id: int) -> None:
    """Set the lesson to in progress, since its whiteboard session has started. A later status is not changed."""
    _rows(session, _BEGIN_ONE, id=schedule_id)


def complete_boarded_lessons(session: Session, schedule_ids: Sequence[int]) -> int:
    """Complete these lessons, or recompute their attendance; return how many changed.

    A whiteboard session of each has ended.
    """
    return _complete(session, session.scalars(_LOCK, {"ids": list(schedule_ids)}).all())


def _complete(session: Session, ids: Sequence[int]) -> int:
    """Complete lessons whose rows this transaction has locked."""
    if not ids:
        return 0
    # Read after locking, so that a session that ended meanwhile is visible.
    attendance_by_id = attendances(session, ids)
    return _rows(session, _COMPLETE, ids=list(attendance_by_id), attendances=list(attendance_by_id.values()))


def _rows(session: Session, statement: Any, **values: Any) -> int:
    return cast("CursorResult[Any]", session.execute(statement, values)).rowcount
