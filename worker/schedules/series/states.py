"""Read what a plan needs about series: rule, students, skips and rows, people's busy times, and ids for new rows."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from models.series import Series
from worker.schedules.conflicts.busy_times import BusyTimes
from worker.schedules.conflicts.read_busy_times import read_busy
from worker.schedules.series.columns import shared_content
from worker.schedules.series.occurrences import occurrences, recurrence_of
from worker.schedules.series.series_people import read_attendees, read_skips
from worker.schedules.series.series_state import Occurrence, SeriesState
from worker.schedules.series.stored_lessons import read_stored_lessons

_RESERVE = text("SELECT nextval(pg_get_serial_sequence('tutor_schedules', 'id')) FROM generate_series(1, :number)")
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
        """The last day before the range."""
        return self.after if self.after is not None else self.series.schedule_date - timedelta(days=1)


class PlanFacts(NamedTuple):
    """The arguments of a plan: the series, the other lessons of their people, and ids for new rows.

    Ids are reserved before the rows exist, so that participants can reference them.
    """

    states: Sequence[SeriesState]
    busy: BusyTimes
    ids: Iterator[int]


def read_facts(session: Session, ranges: Sequence[DateRange], now: datetime, *, rows: bool) -> PlanFacts:
    """Read everything with a few statements for all series.

    With `rows`, also the future rows that may be changed; without, only which days have one.
    """
    states = _states(session, ranges, now, rows=rows)
    number = sum(occurrence.day not in state.taken for state in states for occurrence in state.occurrences)
    ids = session.scalars(_RESERVE, {"number": number}).all() if number else ()
    return PlanFacts(states, _busy(session, states), iter(ids))


def _states(session: Session, ranges: Sequence[DateRange], now: datetime, *, rows: bool) -> list[SeriesState]:
    ids = [days.series.id for days in ranges]
    attendees, skips = read_attendees(session, ids), read_skips(session, ids)
    taken = _lesson_days(session, ranges)
    stored = read_stored_lessons(session, ids, now) if rows else {}
    return [
        SeriesState(
            series_id=days.series.id,
            tutor_id=days.series.tutor_id,
            has_students=days.series.has_students,
            active=days.series.status == "active",
            content=shared_content(days.series),
            attendees=attendees[days.series.id],
            occurrences=_due_occurrences(days, skips[days.series.id], now),
            skipped=_whole_days(skips[days.series.id]),
            student_skips=frozenset(
                (day, student_id) for day, student_id in skips[days.series.id] if student_id is not None
            ),
            stored=stored.get(days.series.id, ()),
            taken=taken[days.series.id],
        )
        for days in ranges
    ]


def _due_occurrences(days: DateRange, skips: Iterable[tuple[date, int | None]], now: datetime) -> list[Occurrence]:
    series = days.series
    if series.status != "active":
        return []
    due = occurrences(recurrence_of(series, _whole_days(skips)), days.after, days.until)
    begun = series.expanded_until
    # Past days that were already processed stay as they were: a changed rule does not rewrite the past.
    if begun is None:
        return due
    return [occurrence for occurrence in due if occurrence.day > begun or occurrence.starts_at > now]


def _whole_days(skips: Iterable[tuple[date, int | None]]) -> frozenset[date]:
    return frozenset(day for day, student_id in skips if student_id is None)


def _lesson_days(session: Session, ranges: Sequence[DateRange]) -> dict[int, set[date]]:
    days_by_series: dict[int, set[date]] = defaultdict(set)
    values = {"ids": [days.series.id for days in ranges], "floors": [days.floor for days in ranges]}
    for series_id, day in session.execute(_TAKEN_DAYS, values):
        days_by_series[series_id].add(day)
    return days_by_series


def _busy(session: Session, states: Sequence[SeriesState]) -> BusyTimes:
    taught = [state for state in states if state.has_students]
    times = [when for state in taught for day in state.occurrences for when in (day.starts_at, day.ends_at)]
    times += [when for state in taught for row in state.stored for when in (row.starts_at, row.ends_at)]
    if not times:
        return BusyTimes()
    return read_busy(
        session,
        tutors={state.tutor_id for state in taught},
        students={attendee.student_id for state in taught for attendee in state.attendees},
        since=min(times),
        until=max(times),
        without=[row.id for state in taught for row in state.stored],
    )
