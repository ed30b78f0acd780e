"""Heartbeats in the database, and beat's ticks, which are orders and no messages."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import MakeSettings, School, Sql
from tests.jobs.conftest import Ledger, SampleOrder
from worker.app import create_app
from worker.database import Database
from worker.jobs.heartbeats import HeartbeatWriter, prune_heartbeats, read_process_metrics, remove_consumer
from worker.jobs.operations.metrics import queue_metrics
from worker.jobs.operations.waiting import why_waiting
from worker.jobs.publish import PublicationLease, publish
from worker.processes.beat import Timetable


def read_metrics(database: Database) -> Any:
    with database.statement() as statement:
        return read_process_metrics(statement, interval=10)


def test_a_worker_is_counted_by_queue_until_it_is_silent_or_leaves(database: Database, sql: Sql) -> None:
    for process in ("a", "b"):
        HeartbeatWriter(database, process, "consumer", interval=10, queues=("default", "media"), children=2).beat()
    assert read_metrics(database).consumers == {"default": 2, "media": 2}
    sql("UPDATE heartbeats SET seen_at = now() - interval '31 s' WHERE process = 'a' AND queue = 'media'")
    assert read_metrics(database).consumers == {"default": 2, "media": 1}
    with database.statement() as statement:
        remove_consumer(statement, "b")
    # A queue that has lost its last worker is still named.
    assert read_metrics(database).consumers == {"default": 1, "media": 0}


def test_the_last_run_of_a_part_is_the_latest_of_any_process(database: Database, sql: Sql) -> None:
    for process in ("a", "b"):
        HeartbeatWriter(database, process, "relay", interval=10).beat()
    sql("UPDATE heartbeats SET seen_at = now() - interval '1 h' WHERE process = 'a'")
    assert 0 <= read_metrics(database).last_runs["relay"] < 60
    sql("UPDATE heartbeats SET seen_at = now() - interval '2 h' WHERE process = 'b'")
    assert 3600 <= read_metrics(database).last_runs["relay"] < 3660
    with database.transaction() as session:
        prune_heartbeats(session)
    assert len(sql("SELECT 1 FROM heartbeats")) == 2
    sql("UPDATE heartbeats SET seen_at = now() - interval '2 days'")
    with database.transaction() as session:
        prune_heartbeats(session)
    assert read_metrics(database).last_runs == {}


def test_after_the_database_s_clock_was_set_back_only_what_writes_again_is_alive(
    database: Database, ledger: Ledger, sample_order: type[SampleOrder], sql: Sql
) -> None:
    """Processes that ended before seem to have written in the future."""
    for process in ("a", "b"):
        HeartbeatWriter(database, process, "consumer", interval=10, queues=("default",), children=2).beat()
        HeartbeatWriter(database, process, "relay", interval=10).beat()
    sql("UPDATE heartbeats SET seen_at = now() + interval '1 h'")
    job_id = ledger.order(sample_order())
    metrics = read_metrics(database)
    assert (metrics.consumers, metrics.clocks) == ({"default": 0}, {})
    assert metrics.last_runs["relay"] > 3500
    with database.statement() as statement:
        assert why_waiting(statement, job_id, interval=10) != {}

    HeartbeatWriter(database, "a", "consumer", interval=10, queues=("default",), children=2).beat()
    HeartbeatWriter(database, "a", "relay", interval=10).beat()
    metrics = read_metrics(database)
    assert (metrics.consumers, metrics.last_runs["relay"] < 60) == ({"default": 1}, True)
    sql("UPDATE heartbeats SET seen_at = now() + interval '2 days'")
    with database.transaction() as session:
        prune_heartbeats(session)
    assert sql("SELECT 1 FROM heartbeats") == []


def test_a_heartbeat_is_written_once_in_its_interval(database: Database, sql: Sql) -> None:
    pacemaker = HeartbeatWriter(database, "a", "reaper", interval=3600)
    pacemaker.beat()
    sql("UPDATE heartbeats SET children = 7")
    pacemaker.beat()
    assert sql("SELECT children FROM heartbeats") == [(7,)]


@pytest.mark.parametrize("offset", [-45.0, 45.0])
def test_a_wrong_clock_shows(database: Database, sql: Sql, offset: float) -> None:
    ((now,),) = sql("SELECT extract(epoch FROM clock_timestamp())::float")
    HeartbeatWriter(database, "a", "beat", interval=10, now=lambda: now + offset).beat()
    # The database's clock went on between the two statements.
    assert abs(offset) - 40 < read_metrics(database).clocks["beat"] < abs(offset) + 40


class BrokenBroker(Exception):
    """What a test's broker says."""


def test_publishing_again_and_again_hides_no_waiting_job(
    ledger: Ledger, sample_order: type[SampleOrder], sql: Sql
) -> None:
    """Also while the broker refuses: the job is due since it was ordered."""
    ledger.order(sample_order())
    sql("UPDATE jobs SET run_at = now() - interval '100 s'")

    def refuse(_message: Any) -> None:
        raise BrokenBroker

    def age() -> float:
        with ledger.database.transaction() as session:
            return queue_metrics(session).oldest_due["default"]

    with pytest.raises(BrokenBroker):
        publish(ledger.database, refuse, PublicationLease(20, 600))
    assert age() >= 100
    # The refused one waits a little before the broker is asked again.
    assert publish(ledger.database, refuse, PublicationLease(20, 600)) == 0
    sql("UPDATE jobs SET publish_at = NULL")
    assert publish(ledger.database, lambda _message: None, PublicationLease(20, 600)) == 1
    assert sql("SELECT state FROM jobs") == [("published",)]
    assert age() >= 100


@pytest.fixture
def timetable(settings: MakeSettings, database: Database) -> Iterator[Timetable]:
    # No broker answers there: beat needs none.
    app = create_app(settings(redis_url="redis://127.0.0.1:1/0"), ())
    scheduler = Timetable(app, schedule={}, lazy=True)
    scheduler.setup_schedule()
    yield scheduler
    scheduler.close()
    app.close()


_OPEN_UPLOAD = """
WITH session AS (INSERT INTO whiteboard_sessions (booking_id) VALUES (:booking) RETURNING id)
INSERT INTO uploads (id, principal, session_id, spool_id, state, reserved)
SELECT repeat('a', 32), 'user:1', id, 'addis-2', 'open', 0 FROM session
"""


def run_all(timetable: Timetable) -> None:
    """Ticks until nothing is due."""
    while timetable.tick() == 0:
        pass


def test_ticks_are_orders_whatever_clock_beat_has(timetable: Timetable, sql: Sql) -> None:
    """They used to be messages that expired by the clock of their reader."""
    entry = timetable.schedule["schedules.advance"]
    entry.last_run_at -= timedelta(seconds=31)
    timetable._heap = None
    run_all(timetable)
    assert sql("SELECT kind, principal, state FROM jobs") == [("schedules.advance", "beat", "queued")]
    assert sql("SELECT part FROM heartbeats") == [("beat",)]
    entry = timetable.schedule["schedules.advance"]
    entry.last_run_at -= timedelta(seconds=31)
    timetable._heap = None
    run_all(timetable)
    assert len(sql("SELECT 1 FROM jobs")) == 1


def test_one_beat_orders_the_upkeep_of_every_spool_in_use(timetable: Timetable, school: School, sql: Sql) -> None:
    """Machines have spools of their own; the beat may run on another one, or on none of them."""
    sql(_OPEN_UPLOAD, booking=school.booking_id)
    for _minute in range(2):
        timetable.schedule["uploads.seal:shared"].last_run_at -= timedelta(seconds=61)
        timetable._heap = None
        run_all(timetable)
    assert sql("SELECT queue, args->>'spool_id' FROM jobs ORDER BY queue") == [
        ("media.addis-2", "addis-2"),
        ("media.shared", "shared"),
    ]


def test_a_clock_that_was_set_back_stops_no_tick(timetable: Timetable, sql: Sql) -> None:
    """Beat ran at a time that has not come yet, as it sees it now."""
    for entry in timetable.schedule.values():
        entry.last_run_at += timedelta(days=1)
    timetable._heap = None
    run_all(timetable)
    longest = max(entry.schedule.run_every for entry in timetable.schedule.values())
    assert all(timedelta(seconds=entry.is_due()[1]) <= longest for entry in timetable.schedule.values())
