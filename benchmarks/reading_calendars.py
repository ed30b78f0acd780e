"""How fast the API returns a week of lessons when there are a million of them."""

import random
import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg

from benchmarks.harness.figure import Figure, Limit, Reading, percentile
from benchmarks.harness.scale import Scale
from benchmarks.material.full_stack import running_full_stack
from benchmarks.material.sending import Client
from worker.access.issue_token import issue_token
from worker.calendars.zones import tzdata_version

_LIMIT = Limit("value", "<", 20.0)
_WARM_UP = 20
# Lessons of one tutor: eight a day for 60 days, with two students who take turns.
_EACH = 480
_A_DAY = 8
# Above the ids of the stack's own people.
_BASE = 1_000_000
_FILL = (
    """
    INSERT INTO users (id, first_name, email)
    SELECT n, 'Person', 'p@example.org' FROM generate_series({base}, {base} + 4 * {tutors}) n
    """,
    "INSERT INTO tutor_profiles (id, user_id) SELECT {base} + n, {base} + n FROM generate_series(1, {tutors}) n",
    """
    INSERT INTO parent_profiles (id, user_id)
    SELECT {base} + n, {base} + {tutors} + n FROM generate_series(1, {tutors}) n
    """,
    """
    INSERT INTO student_profiles (id, user_id, parent_id)
    SELECT {base} + n, {base} + 2 * {tutors} + n, ARRAY[{base} + 1 + n / 2] FROM generate_series(1, 2 * {tutors}) n
    """,
    """
    INSERT INTO tutor_schedules (tutor_id, student_id, schedule_date, start_time, end_time, starts_at, ends_at,
                                 timezone, subject, tzdata_version, meeting_link)
    SELECT {base} + tutor, {base} + 2 * tutor - n % 2, day, make_time(8 + n % 8, 0, 0), make_time(9 + n % 8, 0, 0),
           (day + make_time(5 + n % 8, 0, 0)) AT TIME ZONE 'UTC', (day + make_time(6 + n % 8, 0, 0)) AT TIME ZONE 'UTC',
           'Africa/Addis_Ababa', 'Mathematics', '{tzdata}', 'https://meet.example.org/abc-defg-hij'
      FROM generate_series(0, {each} - 1) n, generate_series(1, {tutors}) tutor,
           LATERAL (SELECT DATE '{first}' + n / 8 AS day) AS days
    """,
    """
    INSERT INTO schedule_participants (schedule_id, student_id, starts_at, ends_at, status)
    SELECT id, student_id, starts_at, ends_at, status FROM tutor_schedules
    """,
    "VACUUM ANALYZE tutor_schedules, schedule_participants, student_profiles",
    "CHECKPOINT",
)


def measure_calendars(scale: Scale) -> Figure:
    """Measure a week of a tutor, of a student and of a parent, and a tutor's free time."""
    figure = Figure(f"API: a week of the calendar, {scale.table_rows:,} rows in `tutor_schedules`, one client")
    first = datetime.now(UTC).date() + timedelta(days=2)
    tutors = max(2, scale.table_rows // _EACH)
    with running_full_stack() as full_stack:
        with full_stack.connect() as connection:
            _fill(connection, tutors, first)
        key = full_stack.stack.settings.signing_key
        for who, offset in (("tutor", 0), ("parent", tutors), ("student", 2 * tutors)):
            took: list[float] = []
            for number in random.Random(1).sample(range(1, tutors), min(20, tutors - 1)):
                token = issue_token(key, sub=_BASE + offset + number, role=who, role_ids={who: _BASE + number})
                with Client(full_stack.address, token) as client:
                    took += _weeks(client, first, -(-(scale.requests + _WARM_UP) // 20))
            counted = took[_WARM_UP:] or took
            figure.readings.append(
                Reading(
                    f"{who}: GET /v1/schedules?from=&to= of 7 days, p95",
                    percentile(counted, 95),
                    "ms",
                    (min(counted), max(counted)),
                    limit=_LIMIT,
                )
            )
    figure.notes.append(
        "Twenty people each, one after another. A page has at most 50 lessons, so a tutor's week of 56 lacks six."
    )
    return figure


def _fill(connection: psycopg.Connection[Any], tutors: int, first: date) -> None:
    connection.execute("SET statement_timeout = 0")
    for statement in _FILL:
        values = {"base": _BASE, "tutors": tutors, "each": _EACH, "first": first, "tzdata": tzdata_version()}
        connection.execute(statement.format(**values).encode())


def _weeks(client: Client, first: date, requests: int) -> list[float]:
    took = []
    for number in range(requests):
        since = first + timedelta(days=number * 7 % (_EACH // _A_DAY - 7))
        began = time.perf_counter()
        page = client.get(f"/v1/schedules?from={since}&to={since + timedelta(days=6)}")
        took.append((time.perf_counter() - began) * 1000)
        assert page["items"]
    return took
