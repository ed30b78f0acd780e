"""Alarms about work: Prometheus evaluates the rules on what a running API exposes; each fires, and stops again.

Those about the parts of an installation are caused in tests/chaos/test_alarms.py.
"""

import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.chaos.harness.alarms import read_rules, wait_until_firing
from tests.chaos.harness.prometheus import Prometheus
from tests.chaos.harness.proxy import Proxy
from tests.conftest import MakeSettings, Platform, Processes, School, SmallDisk, Sql
from tests.waiting import TIMEOUT

# Nothing but time is shortened; every age comes from a row that is old enough.
QUICK = 120.0
_BOARD = """
WITH board AS (INSERT INTO whiteboard_sessions (status) VALUES ('in_progress') RETURNING id),
     page AS (INSERT INTO whiteboard_pages (session_id) SELECT id FROM board RETURNING id, session_id),
     upload AS (INSERT INTO uploads (id, principal, session_id, spool_id, reserved, created_at, updated_at)
                SELECT repeat('a', 32), 'user:1', id, 'shared', 1, now() - interval '2 h', now() - interval '2 h'
                  FROM board)
INSERT INTO whiteboard_canvas_data (page_id, session_id, stroke_type, stroke_data, created_at)
SELECT id, session_id, 'pen', '{}', now() - interval '1 h' FROM page
"""
_LESSON = """
WITH series AS (INSERT INTO schedule_series (tutor_id, has_students, schedule_date, start_time, end_time, timezone,
                                             rrule, recurrence_pattern, status, expanded_until)
                VALUES (11, false, current_date, '10:00', '11:00', 'UTC', 'FREQ=DAILY', 'Every day', 'active',
                        current_date + 50))
INSERT INTO tutor_schedules (tutor_id, student_id, schedule_date, start_time, end_time, starts_at, ends_at)
VALUES (11, 22, current_date, '10:00', '11:00', now() - interval '10 min', now() + interval '1 h')
"""
_JOBS = """
INSERT INTO jobs (kind, queue, state, run_at, finished_at)
SELECT 'recordings.ingest', 'media', state, now() + wait, CASE state WHEN 'dead' THEN now() END
  FROM (VALUES ('queued', interval '-11 min', 1), ('dead', interval '0', 1), ('retryable', interval '1 h', 21))
    AS jobs (state, wait, number), generate_series(1, number)
"""
_PRUNER = """
INSERT INTO jobs (kind, queue, state, created_at, finished_at)
SELECT 'upkeep.prune_ledger', 'default', 'succeeded', at, at FROM (SELECT now() - interval '31 h') AS ended (at)
"""
_DELIVERIES = """
INSERT INTO deliveries (kind, user_id, channel, key, due_at, state, reason)
SELECT 'recording-ready', 1, channel, state || number, now() + interval '1 h', state, 'it refuses'
  FROM (VALUES ('failed', 'email'), ('pending', '7')) AS messages (state, channel), generate_series(1, 21) AS number
"""
# Alive for as long as the heartbeat's interval says.
_CLOCK = "INSERT INTO heartbeats (process, part, clock_ahead) VALUES ('a', 'consumer', 20)"
_TABLES = ("jobs", "deliveries", "heartbeats", "uploads", "tutor_schedules", "schedule_series", "whiteboard_sessions")


@pytest.fixture
def line_to_platform(platform: Platform) -> Iterator[Proxy]:
    """Where the API finds the platform's database, and where it can be cut off."""
    with Proxy(urlsplit(platform.url).port or 5432) as line:
        yield line


def test_every_alarm_about_work_fires_and_stops(
    settings: MakeSettings,
    database_url: str,
    redis_url: str,
    school: School,
    platform: Platform,
    line_to_platform: Proxy,
    processes: Processes,
    small_disk: SmallDisk,
    sql: Sql,
    tmp_path: Path,
) -> None:
    if not Prometheus.is_installed():
        pytest.skip("prometheus is missing (Debian: apt-get install prometheus): no alarm is evaluated on real metrics")
    work = {rule.name for rule in read_rules("astegni-work")}
    address = urlsplit(platform.url)
    through_line = address._replace(netloc=address.netloc.replace(f":{address.port}", f":{line_to_platform.port}"))
    sql("INSERT INTO platform_pulls (kind, pulled_at) VALUES ('lesson', now())")
    url, _api = processes.api(
        settings(
            spool_dir=small_disk("8g") / "spool",
            spool_reserve_bytes=0,
            heartbeat_interval=3600,
            secret_key=secrets.token_hex(32),
            platform_database_url=through_line.geturl(),
        )
    )
    with Prometheus(urlsplit(url).port or 0, tmp_path / "prometheus", quick=QUICK) as prometheus:
        assert not work & prometheus.firing()
        for statement in (_BOARD, _LESSON, _JOBS, _PRUNER, _DELIVERIES, _CLOCK):
            sql(statement)
        sql("UPDATE platform_pulls SET pulled_at = now() - interval '11 min'")
        small_disk("4g")
        line_to_platform.refuse()
        wait_until_firing(prometheus, work.issubset, within=TIMEOUT, details=processes.logs)

        for table in _TABLES:
            sql(f"TRUNCATE {table} CASCADE")
        sql("UPDATE platform_pulls SET pulled_at = now()")
        small_disk("8g")
        line_to_platform.refuse(False)
        wait_until_firing(prometheus, work.isdisjoint, within=TIMEOUT, details=processes.logs)
