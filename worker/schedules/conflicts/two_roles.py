"""Simultaneous lessons of one person in two roles: the database's constraints are per profile, so they allow them."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from models.schedules import Schedule
from worker.access.callers import Caller, UserCaller
from worker.recurrence.instants import Instants
from worker.schedules.conflicts.busy_times import TUTOR
from worker.schedules.conflicts.clash import STUDENT_BUSY, TUTOR_BUSY, ScheduleClash
from worker.schedules.conflicts.read_busy_times import read_lesson_times


class ProfileLessons:
    """The lessons of one profile by id. None overlap, so the order of their starts is that of their ends."""

    def __init__(self, times: Mapping[int, Instants]) -> None:
        self._times = times
        self._ids = sorted(times, key=lambda schedule_id: times[schedule_id])
        self._starts = [times[schedule_id].starts_at for schedule_id in self._ids]
        self._ends = [times[schedule_id].ends_at for schedule_id in self._ids]

    def __contains__(self, schedule_id: int) -> bool:
        return schedule_id in self._times

    def overlapping(self, starts_at: datetime, ends_at: datetime) -> Sequence[int]:
        """The ids of the lessons that overlap this interval, ordered by time."""
        return self._ids[bisect_right(self._ends, starts_at) : bisect_left(self._starts, ends_at)]


def find_role_conflicts(
    session: Session, caller: Caller, lessons: Sequence[Schedule]
) -> Mapping[int, Sequence[ScheduleClash]]:
    """For each of `lessons` (by id) that the caller teaches, those they attend at that time, and the other way round.

    Empty, without a query, for a caller who is not both a tutor and a student.
    """
    if not isinstance(caller, UserCaller) or caller.tutor_id is None or caller.student_id is None:
        return {}
    times = [Instants(lesson.starts_at, lesson.ends_at) for lesson in lessons if lesson.starts_at and lesson.ends_at]
    if not times:
        return {}
    since, until = min(time.starts_at for time in times), max(time.ends_at for time in times)
    by_role: dict[str, dict[int, Instants]] = defaultdict(dict)
    rows = read_lesson_times(session, tutors=[caller.tutor_id], students=[caller.student_id], since=since, until=until)
    for role, _person, starts_at, ends_at, schedule_id in rows:
        by_role[role][schedule_id] = Instants(starts_at, ends_at)
    taught = ProfileLessons(by_role.pop(TUTOR, {}))
    attended = ProfileLessons(
        {schedule_id: time for others in by_role.values() for schedule_id, time in others.items()}
    )
    clashes: dict[int, list[ScheduleClash]] = {}
    for lesson in lessons:
        both = [
            *(_clashes(lesson, TUTOR_BUSY, attended, None) if lesson.id in taught else ()),
            *(_clashes(lesson, STUDENT_BUSY, taught, caller.student_id) if lesson.id in attended else ()),
        ]
        if both:
            clashes[lesson.id] = both
    return clashes


def _clashes(lesson: Schedule, reason: str, others: ProfileLessons, student_id: int | None) -> list[ScheduleClash]:
    starts_at, ends_at = lesson.starts_at, lesson.ends_at
    if starts_at is None or ends_at is None:
        return []
    return [
        ScheduleClash(lesson.schedule_date, starts_at, ends_at, reason, other, student_id)
        for other in others.overlapping(starts_at, ends_at)
        if other != lesson.id
    ]
