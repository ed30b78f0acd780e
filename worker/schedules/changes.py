"""Change lessons: one, this and the following, or all of a series."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.schedules import Schedule, ScheduleParticipant
from models.series import ScheduleSkip, Series
from worker.access.callers import Caller
from worker.calendars.zones import tzdata_version, zone
from worker.errors import Conflict, InvalidInput
from worker.recurrence.instants import instants
from worker.recurrence.platform_days import dates_of
from worker.recurrence.platform_form import PlatformForm
from worker.recurrence.request import Recurrence, TimeRequest, read_recurrence
from worker.schedules.commands import TouchedLessons
from worker.schedules.conflicts.clash import LessonConflict, ScheduleClash, translate_exclusion
from worker.schedules.conflicts.read_busy_times import find_conflicts
from worker.schedules.planning import Planning
from worker.schedules.reading import lead_lesson
from worker.schedules.series.columns import DESCRIBING
from worker.schedules.series.exclusions import exclude
from worker.schedules.series.occurrences import recurrence_of, today_in
from worker.schedules.series.reconcile import lock_series, reconcile
from worker.schedules.series.split import split_series, write_rule
from worker.schedules.standalone_lessons import touch

ONE: Final = "one"
FOLLOWING: Final = "following"
ALL: Final = "all"

_WHEN = ("schedule_date", "start_time", "end_time", "timezone")
# The fields that make a new rule; without any of these the days stay as they are.
_RULE = ("recurrence_pattern", "schedule_type", "months", "days", "year", "year_to", "specific_dates")


@dataclass(frozen=True)
class LessonChange:
    """Change the fields that were sent of a lesson, of it and the following, or of all of its series (`scope`).

    A lesson without a series is always changed alone.
    """

    schedule_id: int
    fields: Mapping[str, Any]
    scope: str
    planning: Planning

    @property
    def now(self) -> datetime:
        """The present moment."""
        return self.planning.now

    @property
    def touched(self) -> TouchedLessons:
        """The lesson, or its series."""
        return TouchedLessons(self.schedule_id, whole_series=self.scope != ONE)

    def apply(self, session: Session, caller: Caller) -> tuple[Schedule, list[ScheduleClash]]:
        """The lesson and, with `skip_conflicts`, what could not be stored.

        Raises NotFound, Forbidden when the caller is not its tutor, InvalidInput, Conflict for a lesson that has
        ended, LessonConflict.
        """
        lesson = lead_lesson(session, caller, self.schedule_id)
        if lesson.series_id is None or self.scope == ONE:
            _change_one(session, lesson, self.fields, self.now)
            return lesson, []
        [series] = lock_series(session, [lesson.series_id])
        if series.status == "cancelled":
            raise Conflict(f"The series of lesson {lesson.id} is cancelled; it cannot be changed any more.")
        if self.scope == FOLLOWING and lesson.occurrence_date is not None:
            series = split_series(session, series, lesson.occurrence_date)
        _change_series(session, series, lesson, self.fields, self.now)
        conflicts = reconcile(session, [series.id], self.planning)
        if conflicts and not self.planning.skip_conflicts:
            raise LessonConflict(conflicts)
        session.refresh(lesson)
        return lesson, conflicts


def _change_one(session: Session, lesson: Schedule, changes: Mapping[str, Any], now: datetime) -> None:
    if lesson.status == "cancelled":
        raise Conflict(f"Lesson {lesson.id} is cancelled; it cannot be changed any more.")
    foreign = sorted(name for name in (*_RULE, "exdates") if changes.get(name))
    if foreign:
        raise InvalidInput(f"{foreign[0]} belongs to a series; change it with scope=following or scope=all.")
    _need(changes)
    moves = {name: changes[name] for name in _WHEN if name in changes and changes[name] != getattr(lesson, name)}
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
    local = {name: moves.get(name, getattr(lesson, name)) for name in _WHEN}
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


def _change_series(
    session: Session, series: Series, lesson: Schedule, changes: Mapping[str, Any], now: datetime
) -> None:
    _need(changes)
    for name in DESCRIBING:
        if name in changes:
            setattr(series, name, changes[name])
    before = recurrence_of(series)
    after = _changed_recurrence(before, lesson, changes)
    if replace(after, excluded=frozenset()) != before:
        write_rule(series, replace(after, excluded=frozenset()))
        # At another time other people are busy.
        busy = delete(ScheduleSkip).where(
            ScheduleSkip.series_id == series.id,
            ScheduleSkip.reason != "excluded",
            ScheduleSkip.occurrence_date >= today_in(series.timezone, now),
        )
        session.execute(busy)
        if series.status == "completed":
            # Its rule may now have further days.
            series.status = "active"
    exclude(session, series.id, after.excluded)
    series.updated_at = now
    session.flush()


def _changed_recurrence(before: Recurrence, lesson: Schedule, changes: Mapping[str, Any]) -> Recurrence:
    sent_day: date | None = changes.get("schedule_date")
    start_time: time = changes.get("start_time", before.start_time)
    end_time: time = changes.get("end_time", before.end_time)
    timezone: str = changes.get("timezone", before.timezone)
    exdates: Sequence[str | date] = changes.get("exdates") or ()
    if any(changes.get(name) for name in _RULE):
        request = TimeRequest(
            schedule_date=sent_day or before.first_day,
            start_time=start_time,
            end_time=end_time,
            timezone=timezone,
            recurrence_pattern=changes.get("recurrence_pattern"),
            exdates=exdates,
            form=_form(changes),
        )
        return read_recurrence(request)
    if sent_day not in (None, lesson.schedule_date, before.first_day):
        raise InvalidInput("To move a series to other days, send its recurrence_pattern with the new schedule_date.")
    if "timezone" in changes:
        zone(timezone)
    excluded = frozenset(dates_of(exdates, field="exdates")) if exdates else frozenset()
    return replace(before, start_time=start_time, end_time=end_time, timezone=timezone, excluded=excluded)


def _form(changes: Mapping[str, Any]) -> PlatformForm:
    return PlatformForm(
        schedule_type=changes.get("schedule_type"),
        months=changes.get("months") or (),
        days=changes.get("days") or (),
        year=changes.get("year"),
        year_to=changes.get("year_to"),
        specific_dates=changes.get("specific_dates") or (),
    )


def _need(changes: Mapping[str, Any]) -> None:
    for name in _WHEN:
        if name in changes and changes[name] is None:
            raise InvalidInput(f"{name} cannot be left empty.")
