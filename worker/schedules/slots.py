"""Free slots: a tutor's free time, which a student or parent can book."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from models.people import TutorProfile
from models.schedules import Schedule
from worker.errors import NotFound
from worker.recurrence.instants import Instants
from worker.schedules.conflicts.read_busy_times import tutor_lessons
from worker.schedules.date_range import Range


class FreePart(NamedTuple):
    """A part of a slot without lessons; `whole` when it is the entire slot."""

    starts_at: datetime
    ends_at: datetime
    whole: bool


@dataclass(frozen=True)
class FreeSlot:
    """A part of a slot in which the tutor is free. `bookable`: it is the whole slot."""

    schedule_id: int
    starts_at: datetime
    ends_at: datetime
    bookable: bool
    subject: str | None
    grade_level: str | None
    session_format: str | None


def list_slots(
    session: Session,
    tutor_id: int,
    window: Range,
    *,
    now: datetime,
    after: tuple[datetime | None, int] | None,
    limit: int,
) -> tuple[Sequence[FreeSlot], Sequence[Schedule]]:
    """The free parts of at most `limit` future slots of a tutor, by time; and those slots.

    Raises NotFound when there is no such tutor, InvalidInput for the range.
    """
    window.check()
    if session.scalar(select(TutorProfile.id).where(TutorProfile.id == tutor_id, TutorProfile.is_active)) is None:
        raise NotFound(f"There is no tutor {tutor_id}.")
    statement = select(Schedule).where(
        Schedule.tutor_id == tutor_id,
        Schedule.student_id.is_(None),
        # With a name: taught to somebody without an account here.
        Schedule.student_name.is_(None),
        Schedule.status == "scheduled",
        Schedule.starts_at > now,
        window.holds_lesson(),
    )
    if after is not None:
        statement = statement.where(tuple_(Schedule.starts_at, Schedule.id) > after)
    slots = session.scalars(statement.order_by(Schedule.starts_at, Schedule.id).limit(limit)).all()
    if not slots:
        return [], []
    times = [slot_times(slot) for slot in slots]
    since, until = min(when.starts_at for when in times), max(when.ends_at for when in times)
    busy = tutor_lessons(session, tutor_id, since, until)
    free = [part for slot, when in zip(slots, times, strict=True) for part in _free(slot, free_parts(when, busy))]
    return free, slots


def slot_times(slot: Schedule) -> Instants:
    """When a slot begins and ends."""
    assert slot.starts_at is not None  # noqa: S101 - the caller's query requires it
    assert slot.ends_at is not None  # noqa: S101 - both are set together
    return Instants(slot.starts_at, slot.ends_at)


def _free(slot: Schedule, parts: Sequence[FreePart]) -> list[FreeSlot]:
    return [
        FreeSlot(slot.id, part.starts_at, part.ends_at, part.whole, slot.subject, slot.grade_level, slot.session_format)
        for part in parts
    ]


def free_parts(slot: Instants, lessons: Sequence[Instants]) -> list[FreePart]:
    """The parts of the slot that no lesson in `lessons` (sorted by start) covers."""
    free: list[Instants] = []
    begin = slot.starts_at
    for lesson in lessons:
        if lesson.ends_at <= begin:
            continue
        if lesson.starts_at >= slot.ends_at:
            break
        if lesson.starts_at > begin:
            free.append(Instants(begin, lesson.starts_at))
        begin = lesson.ends_at
    if begin < slot.ends_at:
        free.append(Instants(begin, slot.ends_at))
    return [FreePart(*part, whole=part == slot) for part in free]
