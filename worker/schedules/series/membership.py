"""Create series, add students to them, and pause or resume them with the bookings of those students."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple, TypedDict

from sqlalchemy import Row, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.bookings import Booking
from models.schedules import Schedule, ScheduleSkip, Series, SeriesParticipant
from worker.errors import InvalidInput
from worker.recurrence.request import Recurrence
from worker.schedules.conflicts.clash import LessonConflict, ScheduleClash
from worker.schedules.planning import Planning
from worker.schedules.series.occurrences import today_in
from worker.schedules.series.reconcile import lock_series, reconcile
from worker.schedules.standalone_lessons import follow_single_lessons

# Lessons of the past can be entered as far back as a year.
_LONGEST_PAST = timedelta(days=366)
# How many of its lessons the answer to a new series shows.
_SHOWN = 10
_OVER = frozenset({"completed", "cancelled"})


class SeriesMember(NamedTuple):
    """A student and the booking through which they take part."""

    student_id: int
    booking_id: int


@dataclass(frozen=True)
class NewLessons:
    """Lessons to create: of these participants, or, without any, free slots; `content` holds columns of DESCRIBING."""

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


def exclude(session: Session, series_id: int, days: frozenset[date]) -> None:
    """Record these days as skipped on a person's request, replacing any other recorded reason."""
    if days:
        statement = insert(ScheduleSkip).values(series_id=series_id, reason="excluded")
        statement = statement.on_conflict_do_update(
            index_elements=["series_id", "occurrence_date", "student_id"],
            set_={"reason": "excluded", "schedule_id": None},
        )
        for day in sorted(days):
            session.execute(statement.values(occurrence_date=day))


def exclude_for_student(session: Session, series_id: int, student_id: int, days: frozenset[date]) -> None:
    """Record days on which this student cannot come; they stay lessons of the others, and recorded reasons stay."""
    skip = insert(ScheduleSkip).values(series_id=series_id, student_id=student_id, reason="excluded")
    for day in sorted(days):
        session.execute(skip.values(occurrence_date=day).on_conflict_do_nothing())


def booking_in_series(session: Session, series_id: int, student_id: int, statuses: Collection[str]) -> int | None:
    """The booking, in one of these states, by which the student takes part in the series."""
    statement = select(Booking.id).join(SeriesParticipant, SeriesParticipant.booking_id == Booking.id)
    seat = (SeriesParticipant.series_id == series_id, SeriesParticipant.student_id == student_id)
    return session.scalar(statement.where(*seat, Booking.status.in_(statuses)))


def package_series(session: Session, tutor_id: int, package_name: str) -> Sequence[Series]:
    """The active series of a tutor's package, oldest first, then the paused ones: a further student joins one."""
    statement = select(Series).where(
        Series.tutor_id == tutor_id, Series.package_name == package_name, Series.status.in_(("active", "paused"))
    )
    return session.scalars(statement.order_by(Series.status, Series.id)).all()


def join_series(session: Session, series_id: int, member: SeriesMember, planning: Planning) -> list[ScheduleClash]:
    """Add a student to all future lessons that their booking covers. Returns the collisions that prevent some.

    Idempotent; a student who returns with a new booking takes part through that one. A paused series resumes.
    """
    (series,) = lock_series(session, [series_id])
    statement = insert(SeriesParticipant).values(series_id=series_id, **member._asdict())
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["series_id", "student_id"], set_={"booking_id": member.booking_id}
        )
    )
    _follow(session, series, planning.now)
    return reconcile(session, [series_id], planning)


def follow_booking(session: Session, booking_id: int, planning: Planning) -> None:
    """Bring every series and future lesson of a booking in line with its status and dates, which have just changed.

    A series without any active booking stops the way its bookings did, and resumes when one is active again. Lessons
    that have become impossible meanwhile are recorded as skips.
    """
    session.flush()
    taken_part = select(SeriesParticipant.series_id).where(SeriesParticipant.booking_id == booking_id)
    ids = set(session.scalars(taken_part))
    # A booked slot is locked below, and the series of a lesson are always locked before it.
    of_slots = select(Schedule.series_id).where(
        Schedule.booking_id == booking_id, Schedule.starts_at > planning.now, Schedule.series_id.is_not(None)
    )
    slot_series = {series_id for series_id in session.scalars(of_slots) if series_id is not None}
    locked = lock_series(session, sorted(ids | slot_series))
    followers = [series for series in locked if series.id in ids]
    for series in followers:
        _follow(session, series, planning.now)
    if followers:
        reconcile(session, [series.id for series in followers], planning)
    follow_single_lessons(session, booking_id, now=planning.now)


def _follow(session: Session, series: Series, now: datetime) -> None:
    if series.status in _OVER:
        return
    statuses = set(
        session.scalars(
            select(Booking.status)
            .join(SeriesParticipant, SeriesParticipant.booking_id == Booking.id)
            .where(SeriesParticipant.series_id == series.id)
        )
    )
    new_status = next(status for status in ("active", "paused", "completed", "cancelled") if status in statuses)
    if new_status == series.status:
        return
    if new_status == "active" and series.expanded_until is not None:
        # The days of the pause were no lessons.
        yesterday = today_in(series.timezone, now) - timedelta(days=1)
        series.expanded_until = max(series.expanded_until, yesterday)
    series.status, series.updated_at = new_status, now


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
