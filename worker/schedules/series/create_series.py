"""Create series and their first lessons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, TypedDict

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from models.schedules import Schedule
from models.series import Series, SeriesParticipant
from worker.errors import InvalidInput
from worker.recurrence.request import Recurrence
from worker.schedules.conflicts.clash import LessonConflict, ScheduleClash
from worker.schedules.planning import Planning
from worker.schedules.series.exclusions import exclude
from worker.schedules.series.membership import SeriesMember
from worker.schedules.series.occurrences import today_in
from worker.schedules.series.reconcile import reconcile

# Past lessons can be entered as far back as a year.
_LONGEST_PAST = timedelta(days=366)
# How many of its lessons the response to a new series shows.
_SHOWN = 10


@dataclass(frozen=True)
class NewLessons:
    """Lessons to create: with these participants, or free slots without any; `content` holds columns of DESCRIBING."""

    tutor_id: int
    recurrence: Recurrence
    content: Mapping[str, str | None]
    participants: Sequence[SeriesMember] = ()
    # Later participants of a package join its series.
    package_name: str | None = None


class RuleColumns(TypedDict):
    """The columns of a series that define its times."""

    schedule_date: date
    start_time: time
    end_time: time
    timezone: str
    rrule: str | None
    dates: list[date] | None
    recurrence_pattern: str


@dataclass(frozen=True)
class CreationResult:
    """What a request created: a series or a single lesson, how many lessons are stored, and the first of them.

    Rows of `first` have id, schedule_date, start_time, end_time, timezone, starts_at and ends_at.
    """

    series_id: int | None
    schedule_id: int | None
    text: str
    lessons: int
    first: Sequence[Row[Any]]
    conflicts: Sequence[ScheduleClash]


def create_series(session: Session, lessons: NewLessons, planning: Planning) -> CreationResult:
    """Create a series and its lessons up to the horizon.

    Raises InvalidInput for a first day too long ago, LessonConflict unless `skip_conflicts`.
    """
    recurrence = lessons.recurrence
    check_begin(recurrence, planning.now)
    series = Series(
        tutor_id=lessons.tutor_id,
        has_students=bool(lessons.participants),
        package_name=lessons.package_name,
        **rule_columns(recurrence),
        **lessons.content,
    )
    session.add(series)
    session.flush()
    session.add_all(_participant_row(series.id, member) for member in lessons.participants)
    exclude(session, series.id, recurrence.excluded)
    conflicts = reconcile(session, [series.id], planning)
    if conflicts and not planning.skip_conflicts:
        raise LessonConflict(conflicts)
    number, first = _stored(session, series.id)
    return CreationResult(series.id, None, recurrence.text(), number, first, conflicts)


def _participant_row(series_id: int, member: SeriesMember) -> SeriesParticipant:
    return SeriesParticipant(series_id=series_id, student_id=member.student_id, booking_id=member.booking_id)


def rule_columns(recurrence: Recurrence) -> RuleColumns:
    """The times of a recurrence as columns; its excluded days are rows of their own and change later."""
    return {
        "schedule_date": recurrence.first_day,
        "start_time": recurrence.start_time,
        "end_time": recurrence.end_time,
        "timezone": recurrence.timezone,
        "rrule": str(recurrence.rule) if recurrence.rule is not None else None,
        "dates": list(recurrence.dates) if recurrence.rule is None else None,
        "recurrence_pattern": replace(recurrence, excluded=frozenset()).text(),
    }


def check_begin(recurrence: Recurrence, now: datetime) -> None:
    """Raise InvalidInput when the first day is more than a year ago."""
    earliest = today_in(recurrence.timezone, now) - _LONGEST_PAST
    if recurrence.first_day < earliest:
        raise InvalidInput(f"The first day, {recurrence.first_day}, is too long ago; it may be {earliest} or later.")


def _stored(session: Session, series_id: int) -> tuple[int, Sequence[Row[Any]]]:
    theirs = Schedule.series_id == series_id
    number = session.scalar(select(func.count()).where(theirs)) or 0
    first = select(*FIRST_COLUMNS).where(theirs).order_by(Schedule.starts_at, Schedule.id).limit(_SHOWN)
    return number, session.execute(first).all()


FIRST_COLUMNS: tuple[Any, ...] = (
    Schedule.id,
    Schedule.schedule_date,
    Schedule.start_time,
    Schedule.end_time,
    Schedule.timezone,
    Schedule.starts_at,
    Schedule.ends_at,
)
