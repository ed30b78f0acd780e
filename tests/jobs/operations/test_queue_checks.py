"""The age of the last check of each queue."""

from tests.conftest import MakeSettings, Sql
from worker.beat_timetable import timetable
from worker.database import Database
from worker.jobs.enqueue import enqueue
from worker.jobs.operations.queue_checks import queue_check_ages
from worker.jobs.orders.registered import read_order
from worker.jobs.orders.routine_orders import CheckQueue
from worker.queue_names import queue_names

OVER = """UPDATE jobs SET state = 'succeeded', created_at = now() - make_interval(secs => :ordered),
                          finished_at = now() - make_interval(secs => :ended) WHERE state = 'queued'"""


def ages(database: Database) -> dict[str, int]:
    with database.statement() as statement:
        return {queue: int(age) // 60 for queue, age in queue_check_ages(statement).items()}


def check(database: Database, *queues: str) -> None:
    with database.transaction() as session:
        for queue in queues:
            enqueue(session, CheckQueue(queue), principal="beat")


def test_the_age_is_that_of_the_last_check_that_ended(database: Database, sql: Sql) -> None:
    assert ages(database) == {}
    for ordered, ended in ((1000, 990), (400, 310), (130, 121)):
        check(database, "default")
        sql(OVER, ordered=ordered, ended=ended)
    check(database, "default", "media")
    # Minutes. Nothing went through `media` yet: its age is that of its order.
    assert ages(database) == {"default": 2, "media": 0}
    sql("UPDATE jobs SET created_at = now() - interval '20 min' WHERE state = 'queued'")
    assert ages(database) == {"default": 2, "media": 20}


def test_a_check_that_waits_for_hours_is_not_forgotten(database: Database, sql: Sql) -> None:
    check(database, "default")
    sql(OVER, ordered=9000, ended=9000)
    assert ages(database) == {}
    check(database, "default")
    sql("UPDATE jobs SET created_at = now() - interval '2 h' WHERE state = 'queued'")
    assert ages(database) == {"default": 120}


def test_ends_of_the_future_do_not_hide_that_nothing_passes(database: Database, sql: Sql) -> None:
    """The database's clock was set back half an hour."""
    check(database, "default")
    sql(OVER, ordered=-1790, ended=-1830)
    check(database, "media")
    sql("UPDATE jobs SET created_at = now() + interval '1830 s' WHERE state = 'queued'")
    assert ages(database) == {"default": 30, "media": 30}
    check(database, "default")
    sql(OVER, ordered=70, ended=61)
    assert ages(database)["default"] == 1


def test_beat_orders_one_for_each_queue(settings: MakeSettings) -> None:
    entries = [entry for entry in timetable(settings()).values() if entry["task"] == CheckQueue.kind]
    orders = [read_order(entry["task"], *entry["args"]) for entry in entries]
    assert tuple(order.queue for order in orders) == queue_names(settings())
    # Other work, which may fill a lane for minutes, must not hold it up.
    assert {order.lane for order in orders} == {None}
