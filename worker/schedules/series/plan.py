"""Plan how the lessons of series must change, from the required and the stored ones. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from worker.schedules.conflicts.busy_times import STUDENT, TUTOR, BusyTimes, Person
from worker.schedules.conflicts.clash import STUDENT_BUSY, TUTOR_BUSY, ScheduleClash
from worker.schedules.series.planned_lessons import Plan, PlannedLesson, Skip
from worker.schedules.series.series_state import Attendee, Occurrence, SeriesState, StoredLesson


def plan_lessons(states: Sequence[SeriesState], busy: BusyTimes, ids: Iterator[int]) -> Plan:
    """Compare and decide. `busy` holds every lesson of these people except the `stored` ones; `ids` are for new rows.

    Lessons that do not move have priority over new and moved ones.
    """
    plan = Plan()
    uncertain: list[PlannedLesson] = []
    for state in states:
        uncertain += _sort_out(state, plan, busy)
        uncertain += _missing(state, ids)
    uncertain.sort(key=lambda lesson: (lesson.starts_at, lesson.state.series_id))
    for lesson in uncertain:
        _place(lesson, plan, busy)
    return plan


def _sort_out(state: SeriesState, plan: Plan, busy: BusyTimes) -> list[PlannedLesson]:
    """Decide what stays and what is removed; return the rows that are required."""
    if not state.stored:
        return []
    occurrences = {occurrence.day: occurrence for occurrence in state.occurrences}
    uncertain: list[PlannedLesson] = []
    for row in state.stored:
        target = _target(state, row, occurrences)
        if target is None:
            if row.scheduled:
                plan.cancelled.append(row.id)
            continue
        if row.scheduled and (target.starts_at, target.ends_at) == (row.starts_at, row.ends_at):
            _keep_time(target, busy)
        uncertain.append(target)
    return uncertain


def _missing(state: SeriesState, ids: Iterator[int]) -> Iterator[PlannedLesson]:
    """Required lessons that have no row yet."""
    if not state.active:
        return
    for day, starts_at, ends_at in state.occurrences:
        if day not in state.taken:
            attendees = state.attendees_on(day)
            if attendees or not state.has_students:
                yield PlannedLesson(state, next(ids), day, starts_at, ends_at, attendees)


def _target(state: SeriesState, row: StoredLesson, occurrences: Mapping[date, Occurrence]) -> PlannedLesson | None:
    """The row as the series requires it; None when it is not required."""
    if not state.active or row.day in state.skipped:
        return None
    attendees = state.attendees_on(row.day)
    if state.has_students and not attendees:
        return None
    if row.is_override:
        return PlannedLesson(state, row.id, row.day, row.starts_at, row.ends_at, attendees, row)
    occurrence = occurrences.get(row.day)
    if occurrence is None:
        return None
    return PlannedLesson(state, row.id, row.day, occurrence.starts_at, occurrence.ends_at, attendees, row)


def _keep_time(lesson: PlannedLesson, busy: BusyTimes) -> None:
    if not lesson.state.has_students or lesson.stored is None:
        return
    staying = [
        attendee.student_id for attendee in lesson.attendees if attendee.student_id in lesson.stored.participants
    ]
    people = [Person(TUTOR, lesson.state.tutor_id), *(Person(STUDENT, student_id) for student_id in staying)]
    for person in people:
        busy.take(person, lesson.starts_at, lesson.ends_at, lesson.id)


def _place(lesson: PlannedLesson, plan: Plan, busy: BusyTimes) -> None:
    """Assign the lesson its time, or record why it cannot have it."""
    free: list[Attendee] = []
    if lesson.state.has_students:
        other = _in_the_way(Person(TUTOR, lesson.state.tutor_id), lesson, busy)
        if other is not None:
            _skip(lesson, other, None, plan)
        else:
            free = _free_attendees(lesson, plan, busy)
        if not free:
            if lesson.stored is not None and lesson.stored.scheduled:
                plan.cancelled.append(lesson.stored.id)
            return
        for person in (
            Person(TUTOR, lesson.state.tutor_id),
            *(Person(STUDENT, attendee.student_id) for attendee in free),
        ):
            busy.take(person, lesson.starts_at, lesson.ends_at, lesson.id)
    placed = lesson if len(free) == len(lesson.attendees) else replace(lesson, attendees=free)
    if placed.stored is None:
        plan.new.append(placed)
    elif differs(placed, placed.stored):
        plan.changed.append(placed)


def _free_attendees(lesson: PlannedLesson, plan: Plan, busy: BusyTimes) -> list[Attendee]:
    free = []
    for attendee in lesson.attendees:
        other = _in_the_way(Person(STUDENT, attendee.student_id), lesson, busy)
        if other is None:
            free.append(attendee)
        else:
            _skip(lesson, other, attendee.student_id, plan)
    return free


def _in_the_way(person: Person, lesson: PlannedLesson, busy: BusyTimes) -> int | None:
    other = busy.find(person, lesson.starts_at, lesson.ends_at)
    return None if other == lesson.id else other


def _skip(lesson: PlannedLesson, other: int, student_id: int | None, plan: Plan) -> None:
    reason = TUTOR_BUSY if student_id is None else STUDENT_BUSY
    plan.skips.append(Skip(lesson.state.series_id, lesson.day, student_id, reason, other))
    plan.conflicts.append(ScheduleClash(lesson.day, lesson.starts_at, lesson.ends_at, reason, other, student_id))


def differs(lesson: PlannedLesson, row: StoredLesson) -> bool:
    """Whether the row must be written: its content, time or participants changed."""
    return (
        not row.scheduled
        or (lesson.starts_at, lesson.ends_at) != (row.starts_at, row.ends_at)
        or lesson.named != row.named
        or {attendee.student_id: attendee.booking_id for attendee in lesson.attendees} != row.participants
        or (not row.is_override and row.content != (row.day, *lesson.state.content))
    )
