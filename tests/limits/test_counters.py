"""Counters: usage is shared by all processes, regained over time, and undone with its transaction."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.conftest import Sql
from worker.database import Database
from worker.errors import TooManyRequests
from worker.limits.counters import Counters, prune_counters
from worker.limits.rates import Rate

# So slow that nothing comes back during a test.
SLOW = Rate("slow", 40, 4_000_000, "Wait.")


def _allowed_requests(counters: Counters, rate: Rate, who: str, times: int) -> int:
    count = 0
    for _ in range(times):
        try:
            counters.take(rate, who)
        except TooManyRequests:
            continue
        count += 1
    return count


def test_no_more_than_the_rate_is_taken(database: Database) -> None:
    counters = Counters(database)
    assert _allowed_requests(counters, SLOW, "user:1", 60) == 40
    assert _allowed_requests(counters, SLOW, "user:2", 1) == 1
    with pytest.raises(TooManyRequests) as caught:
        counters.take(SLOW, "user:1")
    assert caught.value.members == {"limit": "slow", "retry_after": 100_000}


def test_processes_share_what_is_left(database: Database) -> None:
    first, second = Counters(database), Counters(database)
    count = 0
    for _ in range(40):
        count += _allowed_requests(first, SLOW, "user:1", 1) + _allowed_requests(second, SLOW, "user:1", 1)
    assert count == 40


def test_threads_share_what_is_left(database: Database) -> None:
    counters = Counters(database)
    with ThreadPoolExecutor(8) as pool:
        count = sum(pool.map(lambda _: _allowed_requests(counters, SLOW, "user:1", 10), range(8)))
    assert count == 40


def test_units_come_back(database: Database, sql: Sql) -> None:
    counters = Counters(database)
    assert _allowed_requests(counters, SLOW, "user:1", 41) == 40
    # Ten of forty units come back in a quarter of the period.
    sql("UPDATE limit_counters SET free_at = free_at - make_interval(secs => 1000000)")
    assert _allowed_requests(Counters(database), SLOW, "user:1", 20) == 10


def test_a_clock_that_was_set_back_locks_nobody_out(database: Database, sql: Sql) -> None:
    _allowed_requests(Counters(database), SLOW, "user:1", 1)
    sql("UPDATE limit_counters SET free_at = free_at + interval '1 year'")

    assert _allowed_requests(Counters(database), SLOW, "user:1", 60) == 40


def test_a_raised_limit_helps_at_once(database: Database) -> None:
    assert _allowed_requests(Counters(database), SLOW, "user:1", 41) == 40

    assert _allowed_requests(Counters(database), replace(SLOW, most=50), "user:1", 60) >= 10


def test_a_refused_person_costs_no_statement(database: Database, sql: Sql) -> None:
    counters = Counters(database)
    _allowed_requests(counters, SLOW, "user:1", 41)
    sql("DROP TABLE limit_counters")
    assert _allowed_requests(counters, SLOW, "user:1", 5) == 0


def test_a_rate_of_zero_bounds_nothing(database: Database) -> None:
    counters = Counters(database)
    free = Rate("free", 0, 60)
    assert _allowed_requests(counters, free, "user:1", 100) == 100
    with database.transaction() as session:
        counters.spend(session, free, "user:1", 10**9)
        counters.require(session, free, "user:1", 10**9)
        counters.add(session, free, "user:1", 10**9)


def test_what_is_rolled_back_was_not_used(database: Database) -> None:
    counters = Counters(database)
    with pytest.raises(ZeroDivisionError), database.transaction() as session:
        counters.spend(session, SLOW, "user:1", 40)
        _ = 1 / 0
    with database.transaction() as session:
        counters.spend(session, SLOW, "user:1", 40)
    with pytest.raises(TooManyRequests), database.transaction() as session:
        counters.spend(session, SLOW, "user:1")


def test_more_than_the_whole_is_refused_and_not_counted(database: Database) -> None:
    counters = Counters(database)
    with database.transaction() as session:
        with pytest.raises(TooManyRequests):
            counters.spend(session, SLOW, "user:1", 41)
        counters.spend(session, SLOW, "user:1", 40)


def test_what_was_done_is_counted_even_beyond_the_rate(database: Database) -> None:
    counters = Counters(database)
    with database.transaction() as session:
        counters.require(session, SLOW, "user:1", 40)
        counters.add(session, SLOW, "user:1", 100)
        with pytest.raises(TooManyRequests):
            counters.require(session, SLOW, "user:1", 1)


def test_rows_of_the_idle_are_pruned(database: Database, sql: Sql) -> None:
    counters = Counters(database)
    _allowed_requests(counters, SLOW, "user:1", 1)
    _allowed_requests(counters, SLOW, "user:2", 1)
    sql("UPDATE limit_counters SET free_at = now() - interval '1 second' WHERE who = 'user:1'")
    with database.transaction() as session:
        prune_counters(session)
    assert [row.who for row in sql("SELECT who FROM limit_counters")] == ["user:2"]
