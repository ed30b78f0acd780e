"""Change one lesson, whether it belongs to a series or not."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.schedules import Schedule, ScheduleParticipant
from worker.calendars.zones import tzdata_version, zone
from worker.errors import Conflict, InvalidInput
from worker.recurrence.instants import instants
from worker.schedules.changed_fields import RULE_FIELDS, TIME_FIELDS, require_times
from worker.schedules.conflicts.clash import LessonConflict, ScheduleClash, translate_exclusion
from worker.schedules.conflicts.read_busy_times import find_conflicts
from worker.schedules.series.columns import DESCRIBING
from worker.schedules.standalone_lessons import touch


def change_one(session: Session, lesson: Schedule, changes: Mapping[str, Any], now: datetime) -> None:
    """Change the lesson. Raises Conflict, InvalidInput and LessonConflict."""
    if lesson.status == "cancelled":
        raise Conflict(f"Lesson {lesson.id} is cancelled; it cannot be changed any more.")
    foreign = sorted(name for name in (*RULE_FIELDS, "exdates") if changes.get(name))
    if foreign:
        raise InvalidInput(f"{foreign[0]} belongs to a series; change it with scope=following or scope=all.")
    require_times(changes)
    moves = {name: changes[name] for name in TIME_FIELDS if name in changes and changes[name] != getattr(lesson, name)}
    if moves and lesson.status != "scheduled":
        raise Conflict(f"Lesson {lesson.id} is {lesson.status}; its time cannot be changed any more.")
    for name in DESCRIBING:
        if name in changes:
            setattr(lesson, name, changes[name])
    if moves:
        _move(session, lesson, moves)
    # Later changes of its series no longer affect it.
    lesson.is_override = lesson.series_id is not None
    touch(lesson, now)
    session.flush()


def _move(session: Session, lesson: Schedule, moves: Mapping[str, Any]) -> None:
    local = {name: moves.get(name, getattr(lesson, name)) for name in TIME_FIELDS}
    if local["timezone"] is None:
        raise InvalidInput("The lesson has no timezone yet; send it too.")
    where = zone(local["timezone"])
    when = instants(local["schedule_date"], local["start_time"], local["end_time"], where)
    seats = select(ScheduleParticipant.student_id).where(ScheduleParticipant.schedule_id == lesson.id)
    students = set(session.scalars(seats)) | ({lesson.student_id} if lesson.student_id is not None else set())

    def find() -> list[ScheduleClash]:
        return find_conflicts(
            session,
            tutor_id=lesson.tutor_id,
            students=students,
            day=local["schedule_date"],
            when=when,
            without=[lesson.id],
        )

    conflicts = find()
    if conflicts:
        raise LessonConflict(conflicts)
    with translate_exclusion(session, find):
        for name, value in local.items():
            setattr(lesson, name, value)
        lesson.starts_at, lesson.ends_at = when
        lesson.tzdata_version = tzdata_version()
