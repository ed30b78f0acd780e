"""Storing the lessons of series 90 days ahead with every collision checked, beside the minimum of work."""

import time
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import psycopg
import recurring_ical_events
from icalendar import Calendar
from sqlalchemy import select

from benchmarks.harness.figure import Figure, Limit, Reading
from benchmarks.harness.scale import Scale
from benchmarks.harness.timing import timed
from benchmarks.material.bare_stack import running_bare_stack
from benchmarks.material.people import write_people
from models.series import Series
from worker.database import Database
from worker.schedules.planning import Planning
from worker.schedules.series.fill import fill
from worker.schedules.series.occurrences import occurrences, recurrence_of
from worker.schedules.series.reconcile import reconcile

_NOW = datetime(2026, 5, 1, 6, tzinfo=UTC)
_FIRST_DAY = date(2026, 5, 1)
_DAYS = 89
_PLANNING = Planning(_NOW, _DAYS)
_BATCH = 200
_TABLES = ("tutor_schedules", "schedule_participants")
# Five series for each tutor, one student in each, at five times of Monday, Wednesday and Friday.
_SERIES = (
    """
    INSERT INTO tutor_student_bookings (id, tutor_id, student_id)
    SELECT n, 1 + n / 5, n FROM generate_series(1, {series}) n
    """,
    """
    INSERT INTO schedule_series (id, tutor_id, has_students, schedule_date, start_time, end_time, timezone, rrule,
                                 recurrence_pattern, subject, grade_level, session_format, meeting_link)
    SELECT id, tutor_id, true, '2026-05-01', make_time(8 + 2 * (id % 5), 0, 0), make_time(9 + 2 * (id % 5), 0, 0),
           'Africa/Addis_Ababa', 'FREQ=WEEKLY;BYDAY=MO,WE,FR', 'Every Monday, Wednesday and Friday', 'Mathematics',
           'Grade 10', 'online', 'https://meet.example.org/abc-defg-hij'
      FROM tutor_student_bookings
    """,
    """
    INSERT INTO series_participants (series_id, student_id, booking_id)
    SELECT id, student_id, id FROM tutor_student_bookings
    """,
    "ANALYZE",
)
_FORGET = (
    "TRUNCATE tutor_schedules, schedule_participants, schedule_skips CASCADE",
    "UPDATE schedule_series SET expanded_until = NULL",
    "VACUUM ANALYZE schedule_series",
    "CHECKPOINT",
)
_ROW_BY_ROW = """
    INSERT INTO {table} ({columns}) VALUES ({places})
"""
_EVENT = """BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//benchmarks//EN\r
BEGIN:VEVENT\r
UID:1\r
DTSTAMP:20260501T000000Z\r
DTSTART;TZID=Africa/Addis_Ababa:20260501T080000\r
DTEND;TZID=Africa/Addis_Ababa:20260501T090000\r
RRULE:FREQ=WEEKLY;BYDAY=MO,WE,FR\r
END:VEVENT\r
END:VCALENDAR\r
"""


def measure_schedules(scale: Scale) -> Figure:
    """Measure `schedules.fill` on series without lessons, in turns with COPY of the rows that it inserted."""
    figure = Figure(f"Schedules: {scale.series:,} series, 90 days, one student each, constraints in place")
    with running_bare_stack() as bare_stack, bare_stack.connect() as connection:
        write_people(connection, scale.series)
        for statement in _SERIES:
            connection.execute(statement.format(series=scale.series))
        database = Database(bare_stack.settings.sqlalchemy_url, pool_size=1)
        try:
            _measure(figure, database, connection, scale)
            _measure_expansion(figure, database, scale)
        finally:
            database.close()
    figure.notes.append(
        "A lesson is a row of `tutor_schedules` and one of `schedule_participants`. Ours reads rules, students and "
        "their other lessons, expands, checks for overlaps and commits every "
        f"{_BATCH} series; COPY sends the same rows of both tables as text in one transaction. The two take turns, "
        "each on empty tables after a checkpoint; the first turn is not counted."
    )
    return figure


def _measure(figure: Figure, database: Database, connection: psycopg.Connection[Any], scale: Scale) -> None:
    ours: list[float] = []
    bare: list[float] = []
    again: list[float] = []
    whole: list[float] = []
    rows = 0
    for turn in range(scale.series_repeats + 1):
        took, rows = timed(lambda: _fill(database))
        idle, _ = timed(lambda: _fill(database))
        compared, _ = timed(lambda: _reconcile(database))
        dump = {table: _dump(connection, table) for table in _TABLES}
        _forget(connection)
        copied, _ = timed(partial(_copy, connection, dump))
        _forget(connection)
        if turn:
            ours.append(rows / took)
            bare.append(rows / copied)
            again.append(took / idle)
            whole.append(took / compared)
    platform = _row_by_row(connection, database, scale)
    copy_name = "bare COPY of the same rows"
    figure.readings += [
        Reading.of(f"lessons stored, {rows:,} each time", ours, "/s", bare, copy_name, Limit("ratio", "≥", 0.5)),
        Reading.of("bare COPY", bare, "/s"),
        Reading.of("lessons stored", ours, "/s", [platform], "row by row, as the platform does it"),
        Reading.of("second run, nothing due: times faster", again, "x", limit=Limit("value", "≥", 5)),
        Reading.of("second run, all compared: times faster", whole, "x"),
    ]


def _fill(database: Database) -> int:
    lessons = 0
    while True:
        with database.transaction() as session:
            filled = fill(session, _PLANNING, batch=_BATCH)
        if filled.series == 0:
            return lessons
        lessons += filled.lessons


def _reconcile(database: Database) -> int:
    with database.transaction() as session:
        ids = session.scalars(select(Series.id)).all()
    for first in range(0, len(ids), _BATCH):
        with database.transaction() as session:
            conflicts = reconcile(session, ids[first : first + _BATCH], _PLANNING)
            assert conflicts == []
    return len(ids)


def _dump(connection: psycopg.Connection[Any], table: str) -> bytes:
    with connection.cursor().copy(f"COPY {table} TO STDOUT".encode()) as copy:
        return b"".join(bytes(piece) for piece in copy)


def _copy(connection: psycopg.Connection[Any], dump: dict[str, bytes]) -> int:
    with connection.transaction():
        for table, rows in dump.items():
            with connection.cursor().copy(f"COPY {table} FROM STDIN".encode()) as copy:
                copy.write(rows)
    return 0


def _forget(connection: psycopg.Connection[Any]) -> None:
    for statement in _FORGET:
        connection.execute(statement)


def _row_by_row(connection: psycopg.Connection[Any], database: Database, scale: Scale) -> float:
    """Lessons per second with one statement per row and one transaction per series; for a fifth of the series."""
    _fill(database)
    rows: dict[str, list[tuple[Any, ...]]] = {}
    columns: dict[str, list[str]] = {}
    for table, key in (("tutor_schedules", "id"), ("schedule_participants", "schedule_id")):
        cursor = connection.execute(f"SELECT * FROM {table} ORDER BY {key}".encode())  # noqa: S608 - our own
        rows[table], columns[table] = cursor.fetchall(), [column.name for column in cursor.description or ()]
    _forget(connection)
    statements = {
        table: _ROW_BY_ROW.format(table=table, columns=", ".join(names), places=", ".join(["%s"] * len(names))).encode()
        for table, names in columns.items()
    }
    number = len(rows["tutor_schedules"]) // 5
    each = max(1, len(rows["tutor_schedules"]) // scale.series)
    pairs = list(zip(rows["tutor_schedules"], rows["schedule_participants"], strict=True))[:number]
    began = time.perf_counter()
    for first in range(0, number, each):
        with connection.transaction():
            for lesson, participant in pairs[first : first + each]:
                connection.execute(statements["tutor_schedules"], lesson)
                connection.execute(statements["schedule_participants"], participant)
    took = time.perf_counter() - began
    _forget(connection)
    return number / took


def _measure_expansion(figure: Figure, database: Database, scale: Scale) -> None:
    """Measure the expansion to days and instants alone, without a database."""
    with database.transaction() as session:
        series = session.scalars(select(Series)).all()
    end = _FIRST_DAY + timedelta(days=_DAYS)
    took, ours = timed(lambda: sum(len(occurrences(recurrence_of(lesson), None, end)) for lesson in series))
    some = max(1, scale.series // 10)

    def expand_calendars() -> int:
        calendars = (Calendar.from_ical(_EVENT) for _ in range(some))
        return sum(
            len(recurring_ical_events.of(calendar).between(_FIRST_DAY, end + timedelta(days=1)))
            for calendar in calendars
        )

    took_there, theirs = timed(expand_calendars)
    assert ours * some == theirs * len(series)
    figure.readings.append(
        Reading("expansion alone", ours / took, "/s", None, theirs / took_there, "recurring-ical-events")
    )
