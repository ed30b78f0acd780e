"""Reminders of thousands of lessons, planned from people, alarms and preferences, beside a bare COPY of the rows."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

import psycopg
from sqlalchemy import select

from benchmarks.harness.figure import Figure, Limit, Reading
from benchmarks.harness.scale import Scale
from benchmarks.harness.timing import timed
from benchmarks.material.bare_stack import running_bare_stack
from benchmarks.material.people import write_people
from models.schedules import Schedule
from worker.database import Database
from worker.reminders.planning.plan import plan_reminders

_NOW = datetime(2026, 5, 1, 6, tzinfo=UTC)
# Lessons of one transaction: those of a hundred series, as the hourly fill job makes them.
_BATCH = 3_900
_DAYS = 39
# Each series has a tutor and a student of its own; every eighth tutor and student have preferences. The lessons are in
# the order in which the fill job stores them: series by series, each by day.
_LESSONS = (
    """
    INSERT INTO notification_preferences (user_id, alarms, channels)
    SELECT n, '{{1440,15}}', '{{email}}' FROM generate_series(1, {twice}) n WHERE n % 8 <> 0
    """,
    """
    INSERT INTO notification_preferences (user_id, alarms, channels)
    SELECT n, '{{60,10}}', '{{in_app}}' FROM generate_series(8, {twice}, 8) n
    """,
    """
    INSERT INTO tutor_schedules (id, tutor_id, student_id, schedule_date, start_time, end_time, starts_at, ends_at,
                                 timezone, subject)
    SELECT (series - 1) * {days} + day, series, series, begin::date, '10:00', '11:00', begin, begin + interval '1 h',
           'Africa/Addis_Ababa', 'Mathematics'
      FROM generate_series(1, {series}) series, generate_series(1, {days}) day,
           LATERAL (SELECT timestamptz '2026-05-10 07:00Z' + day * interval '2 days' AS begin) begins
    """,
    """
    INSERT INTO schedule_participants (schedule_id, student_id, starts_at, ends_at, status)
    SELECT id, student_id, starts_at, ends_at, status FROM tutor_schedules
    """,
    "VACUUM ANALYZE",
)
_COLUMNS = "kind, user_id, channel, schedule_id, minutes_before, starts_at, key, due_at, expires_at"
_FORGET = ("TRUNCATE deliveries RESTART IDENTITY", "VACUUM ANALYZE deliveries", "CHECKPOINT")


def measure_reminders_planning(scale: Scale) -> Figure:
    """Measure `plan_reminders` on lessons without reminders, in turns with COPY of the rows that it inserted."""
    series = scale.series
    figure = Figure(f"Reminders: {series * _DAYS:,} lessons, 2 people each, 2 alarms, one channel, indexes in place")
    with running_bare_stack() as bare_stack, bare_stack.connect() as connection:
        write_people(connection, series)
        for statement in _LESSONS:
            connection.execute(statement.format(series=series, twice=2 * series, days=_DAYS).encode())
        database = Database(bare_stack.settings.sqlalchemy_url, pool_size=1)
        try:
            _measure(figure, database, connection, scale)
        finally:
            database.close()
    figure.notes.append(
        "Ours reads lessons, people, alarms and preferences, locks the lessons, looks for existing rows and "
        f"commits every {_BATCH:,} lessons; COPY sends the same rows as text in one transaction. The two take turns, "
        "each on an empty table after a checkpoint; the first turn is not counted."
    )
    return figure


def _measure(figure: Figure, database: Database, connection: psycopg.Connection[Any], scale: Scale) -> None:
    with database.transaction() as session:
        ids = list(session.scalars(select(Schedule.id).order_by(Schedule.id)))
    ours: list[float] = []
    bare: list[float] = []
    again: list[float] = []
    rows = 0
    for turn in range(scale.series_repeats + 1):
        took, rows = timed(lambda: _plan(database, ids))
        connection.execute("ANALYZE deliveries")
        compared, changed = timed(lambda: _plan(database, ids))
        assert changed == 0
        dump = _dump(connection)
        _forget(connection)
        copied, _ = timed(partial(_copy, connection, dump))
        _forget(connection)
        if turn:
            ours.append(rows / took)
            bare.append(rows / copied)
            again.append(rows / compared)
    figure.readings += [
        Reading.of(
            f"reminders planned, {rows:,} each time",
            ours,
            "/s",
            bare,
            "bare COPY of the same rows",
            Limit("ratio", "≥", 0.5),
        ),
        Reading.of("bare COPY", bare, "/s"),
        Reading.of("compared again, nothing to do", again, "/s"),
    ]


def _plan(database: Database, ids: list[int]) -> int:
    planned = 0
    for first in range(0, len(ids), _BATCH):
        with database.transaction() as session:
            planned += plan_reminders(session, ids[first : first + _BATCH], now=_NOW).planned
    return planned


def _dump(connection: psycopg.Connection[Any]) -> bytes:
    with connection.cursor().copy(f"COPY deliveries ({_COLUMNS}) TO STDOUT".encode()) as copy:
        return b"".join(bytes(piece) for piece in copy)


def _copy(connection: psycopg.Connection[Any], dump: bytes) -> int:
    with (
        connection.transaction(),
        connection.cursor().copy(f"COPY deliveries ({_COLUMNS}) FROM STDIN".encode()) as copy,
    ):
        copy.write(dump)
    return 0


def _forget(connection: psycopg.Connection[Any]) -> None:
    for statement in _FORGET:
        connection.execute(statement.encode())
