"""Read the state of series that a plan needs: rule, students, skips and rows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, or_, select, text
from sqlalchemy.orm import Session

from models.bookings import Booking
from models.people import StudentProfile, User
from models.schedules import Schedule, ScheduleParticipant, ScheduleSkip, Series, SeriesParticipant
from worker.access.names import FULL_NAME
from worker.schedules.series.columns import SHARED, shared_content
from worker.schedules.series.occurrences import occurrences, recurrence_of
from worker.schedules.series.plan import Attendee, Occurrence, SeriesState, StoredLesson

_TAKEN_DAYS = text(
    """
    SELECT lesson.series_id, lesson.occurrence_date
      FROM unnest(CAST(:ids AS integer[]), CAST(:floors AS date[])) AS reach (series_id, floor)
      JOIN tutor_schedules lesson
        ON lesson.series_id = reach.series_id AND lesson.occurrence_date > reach.floor
    """
)


@dataclass(frozen=True)
class DateRange:
    """The days of a series that a plan covers: after `after` (None: from its first), up to `until`."""

    series: Series
    after: date | None
    until: date

    @property
    def floor(self) -> date:
        """The last day that is excluded."""
        return self.after if self.after is not None else self.series.schedule_date - timedelta(days=1)


def read_states(session: Session, reaches: Sequence[DateRange], now: datetime, *, rows: bool) -> list[SeriesState]:
    """The state of each series, with a few statements for all of them.

    With `rows`, also the future rows that may be changed; without, only the days that have one.
    """
    ids = [reach.series.id for reach in reaches]
    attendees, skips = _attendees(session, ids), _skips(session, ids)
    taken = _taken_days(session, reaches)
    stored = _stored_lessons(session, ids, now) if rows else {}
    return [
        SeriesState(
            series_id=reach.series.id,
            tutor_id=reach.series.tutor_id,
            has_students=reach.series.has_students,
            active=reach.series.status == "active",
            content=shared_content(reach.series),
            attendees=attendees[reach.series.id],
            occurrences=_wanted(reach, skips[reach.series.id], now),
            skipped=_whole_days(skips[reach.series.id]),
            student_skips=frozenset(
                (day, student_id) for day, student_id in skips[reach.series.id] if student_id is not None
            ),
            stored=stored.get(reach.series.id, ()),
            taken=taken[reach.series.id],
        )
        for reach in reaches
    ]


def _wanted(reach: DateRange, skips: Iterable[tuple[date, int | None]], now: datetime) -> list[Occurrence]:
    series = reach.series
    if series.status != "active":
        return []
    wanted = occurrences(recurrence_of(series, _whole_days(skips)), reach.after, reach.until)
    begun = series.expanded_until
    # Past days that were already processed stay as they were: a changed rule does not rewrite the past.
    return wanted if begun is None else [one for one in wanted if one.day > begun or one.starts_at > now]


def _whole_days(skips: Iterable[tuple[date, int | None]]) -> frozenset[date]:
    return frozenset(day for day, student_id in skips if student_id is None)


def _attendees(session: Session, series_ids: Sequence[int]) -> dict[int, list[Attendee]]:
    found: dict[int, list[Attendee]] = defaultdict(list)
    statement = (
        select(
            SeriesParticipant.series_id,
            SeriesParticipant.student_id,
            SeriesParticipant.booking_id,
            FULL_NAME,
            Booking.start_date,
            Booking.end_date,
        )
        .join(Booking, Booking.id == SeriesParticipant.booking_id)
        .join(StudentProfile, StudentProfile.id == SeriesParticipant.student_id)
        .join(User, User.id == StudentProfile.user_id)
        .where(SeriesParticipant.series_id.in_(series_ids), Booking.status == "active")
        .order_by(SeriesParticipant.created_at, SeriesParticipant.student_id)
    )
    for series_id, *attendee in session.execute(statement):
        found[series_id].append(Attendee(*attendee))
    return found


def _skips(session: Session, series_ids: Sequence[int]) -> dict[int, set[tuple[date, int | None]]]:
    found: dict[int, set[tuple[date, int | None]]] = defaultdict(set)
    columns = (ScheduleSkip.series_id, ScheduleSkip.occurrence_date, ScheduleSkip.student_id)
    for series_id, day, student_id in session.execute(select(*columns).where(ScheduleSkip.series_id.in_(series_ids))):
        found[series_id].add((day, student_id))
    return found


def _taken_days(session: Session, reaches: Sequence[DateRange]) -> dict[int, set[date]]:
    found: dict[int, set[date]] = defaultdict(set)
    values = {"ids": [reach.series.id for reach in reaches], "floors": [reach.floor for reach in reaches]}
    for series_id, day in session.execute(_TAKEN_DAYS, values):
        found[series_id].add(day)
    return found


def _stored_lessons(session: Session, series_ids: Sequence[int], now: datetime) -> dict[int, list[StoredLesson]]:
    """Future rows that are scheduled or were cancelled with their series, except free slots that somebody booked."""
    found: dict[int, list[StoredLesson]] = defaultdict(list)
    may_change = and_(
        Schedule.series_id.in_(series_ids),
        Schedule.starts_at > now,
        Schedule.booked_at.is_(None),
        or_(Schedule.status == "scheduled", and_(Schedule.status == "cancelled", Schedule.cancelled_by == "series")),
    )
    seats: dict[int, dict[int, int | None]] = defaultdict(dict)
    participants = select(
        ScheduleParticipant.schedule_id, ScheduleParticipant.student_id, ScheduleParticipant.booking_id
    ).join(Schedule, Schedule.id == ScheduleParticipant.schedule_id)
    for schedule_id, student_id, booking_id in session.execute(participants.where(may_change)):
        seats[schedule_id][student_id] = booking_id
    for row in session.execute(select(*_STORED_COLUMNS).where(may_change)):
        found[row.series_id].append(_stored(row, seats[row.id]))
    return found


def _stored(row: Row[Any], participants: Mapping[int, int | None]) -> StoredLesson:
    return StoredLesson(
        id=row.id,
        day=row.occurrence_date,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        scheduled=row.status == "scheduled",
        is_override=row.is_override,
        # schedule_date and SHARED, as _STORED_COLUMNS has them.
        content=tuple(row[_OF_LESSON:]),
        named=(row.student_id, row.student_name, row.booking_id),
        participants=participants,
    )


_OF_A_ROW: tuple[Any, ...] = (
    Schedule.series_id,
    Schedule.id,
    Schedule.occurrence_date,
    Schedule.starts_at,
    Schedule.ends_at,
    Schedule.status,
    Schedule.is_override,
    Schedule.student_id,
    Schedule.student_name,
    Schedule.booking_id,
)
_OF_LESSON = len(_OF_A_ROW)
_STORED_COLUMNS = (*_OF_A_ROW, Schedule.schedule_date, *(getattr(Schedule, name) for name in SHARED))
