"""Recompute the instants of rows that somebody wrote by hand, and of all future rows when time zone rules change.

Both compute in Python (worker/recurrence/instants.py) and write in batches. A row that would then collide with another
lesson, or whose zone or times are invalid, stays unchanged: it is reported and does not block the others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from psycopg.errors import ExclusionViolation
from sqlalchemy import ColumnClause, ColumnElement, Row, TextClause, and_, case, literal_column, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.schedules import Schedule
from worker.calendars.zones import tzdata_version, zone
from worker.errors import InvalidInput
from worker.recurrence.instants import Instants, instants

# PostgreSQL has dates that Python lacks, and the time 24:00: as an end that is midnight, as a start it is invalid.
_BEYOND: ColumnClause[time] = literal_column("'24:00'::time")
_LOCAL = (
    case((Schedule.schedule_date.between(date.min, date.max), Schedule.schedule_date)).label("schedule_date"),
    case((Schedule.start_time < _BEYOND, Schedule.start_time)).label("start_time"),
    case((Schedule.end_time < _BEYOND, Schedule.end_time), else_=time.min).label("end_time"),
)

_DATE = text(
    """
    UPDATE tutor_schedules lesson
       SET starts_at = computed.starts_at, ends_at = computed.ends_at, tzdata_version = :version, updated_at = now(),
           -- Midnight as everybody else can read it.
           end_time = CASE WHEN lesson.end_time < '24:00' THEN lesson.end_time ELSE '00:00' END
      FROM unnest(CAST(:ids AS integer[]), CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[]))
           AS computed (id, starts_at, ends_at)
     WHERE lesson.id = computed.id
    """
)
_ENROL = text(
    """
    INSERT INTO schedule_participants (schedule_id, student_id, booking_id, starts_at, ends_at, status)
    SELECT id, student_id, booking_id, starts_at, ends_at, status FROM tutor_schedules
     WHERE id = ANY(:ids) AND student_id IS NOT NULL
    """
)
_CONFIRM = text("UPDATE tutor_schedules SET tzdata_version = :version WHERE id = ANY(:ids)")
# PostgreSQL checks each row as it is written: of two neighbours that both move by an hour the first would collide with
# the old position of the second. So all are moved aside first, participants with them.
_STEP_ASIDE = text("UPDATE tutor_schedules SET status = 'cancelled' WHERE id = ANY(:ids)")
_MOVE = text(
    """
    UPDATE tutor_schedules lesson
       SET status = 'scheduled', starts_at = computed.starts_at, ends_at = computed.ends_at,
           tzdata_version = :version, sequence = sequence + 1, updated_at = now()
      FROM unnest(CAST(:ids AS integer[]), CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[]))
           AS computed (id, starts_at, ends_at)
     WHERE lesson.id = computed.id
    """
)


@dataclass(frozen=True)
class RedateResult:
    """The result of one batch: how many rows have right instants now (`done`), and how many of those `moved`.

    `stuck` are the ids of rows left unchanged; `last` is where the next batch starts (None: this was the last).
    """

    done: int
    moved: int
    stuck: tuple[int, ...]
    last: int | None
    # The rows that moved.
    ids: Sequence[int] = field(default=(), compare=False)


@dataclass(frozen=True)
class _Computed:
    """A row and the instants of its local times; None when they are invalid."""

    id: int
    instants: Instants | None
    # The row's present position; a hand-written one has none.
    before: tuple[datetime | None, datetime | None]


def date_lessons(session: Session, *, default_zone: str, after: int, most: int) -> RedateResult:
    """Compute the instants of at most `most` rows that have none, with ids above `after`; a student gets a seat."""
    rows = _rows(session, Schedule.starts_at.is_(None), after=after, most=most)
    computed = [_compute(row, default_zone) for row in rows]
    undated = [row.id for row in computed if row.instants is None]
    dated = [row for row in computed if row.instants is not None]
    colliding = _put(session, dated, _date)
    return _tended(rows, most, moved=_without(dated, colliding), stuck=[*undated, *colliding])


def redate_lessons(session: Session, *, now: datetime, default_zone: str, after: int, most: int) -> RedateResult:
    """Recompute at most `most` future lessons and slots dated by an older release of the time zone rules.

    Calendars see a change (SEQUENCE) only for those that moved.
    """
    outdated = Schedule.tzdata_version.is_distinct_from(tzdata_version())
    future = and_(Schedule.status == "scheduled", Schedule.starts_at > now)
    rows = _rows(session, future, outdated, after=after, most=most)
    computed = [_compute(row, default_zone) for row in rows]
    undated = [row.id for row in computed if row.instants is None]
    same = [row.id for row in computed if row.instants == row.before]
    moving = [row for row in computed if row.instants is not None and row.instants != row.before]
    if same:
        session.execute(_CONFIRM, {"version": tzdata_version(), "ids": same})
    colliding = _put(session, moving, _move)
    return _tended(rows, most, same=len(same), moved=_without(moving, colliding), stuck=[*undated, *colliding])


def _rows(session: Session, *conditions: ColumnElement[bool], after: int, most: int) -> Sequence[Row[Any]]:
    columns = (Schedule.id, *_LOCAL, Schedule.timezone, Schedule.starts_at, Schedule.ends_at)
    statement = select(*columns).where(*conditions, Schedule.id > after).order_by(Schedule.id).limit(most)
    # Rows locked by others are left to the next round.
    return session.execute(statement.with_for_update(skip_locked=True)).all()


def _tended(rows: Sequence[Row[Any]], most: int, *, moved: list[int], stuck: list[int], same: int = 0) -> RedateResult:
    last = rows[-1].id if len(rows) == most else None
    return RedateResult(same + len(moved), len(moved), tuple(sorted(stuck)), last, moved)


def _without(computed: Sequence[_Computed], colliding: Sequence[int]) -> list[int]:
    return [row.id for row in computed if row.id not in colliding]


def _compute(row: Row[Any], default_zone: str) -> _Computed:
    before = (row.starts_at, row.ends_at)
    if row.schedule_date is None or row.start_time is None:
        return _Computed(row.id, None, before)
    try:
        when = instants(row.schedule_date, row.start_time, row.end_time, zone(row.timezone or default_zone))
    except InvalidInput:
        return _Computed(row.id, None, before)
    return _Computed(row.id, when, before)


def _put(
    session: Session, computed: Sequence[_Computed], write: Callable[[Session, Sequence[_Computed]], None]
) -> list[int]:
    """Write all of them or, if one collides, each half separately; return the ids of those that collide.

    A few colliding rows among thousands cost a few small savepoints each, and the rest is written in bulk.
    """
    if not computed:
        return []
    try:
        with session.begin_nested():
            write(session, computed)
    except IntegrityError as error:
        if not isinstance(error.orig, ExclusionViolation):
            raise
        if len(computed) == 1:
            return [computed[0].id]
        middle = len(computed) // 2
        return _put(session, computed[:middle], write) + _put(session, computed[middle:], write)
    return []


def _date(session: Session, computed: Sequence[_Computed]) -> None:
    _write(session, _DATE, computed)
    session.execute(_ENROL, {"ids": [row.id for row in computed]})


def _move(session: Session, computed: Sequence[_Computed]) -> None:
    session.execute(_STEP_ASIDE, {"ids": [row.id for row in computed]})
    _write(session, _MOVE, computed)


def _write(session: Session, statement: TextClause, computed: Sequence[_Computed]) -> None:
    placed = [(row.id, row.instants) for row in computed if row.instants is not None]
    values = {
        "ids": [row_id for row_id, _ in placed],
        "starts": [when.starts_at for _, when in placed],
        "ends": [when.ends_at for _, when in placed],
    }
    session.execute(statement, {**values, "version": tzdata_version()})
