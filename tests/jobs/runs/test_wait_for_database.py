"""A single statement, and waiting for an unavailable database."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import text

from tests.conftest import MakeSettings
from worker.database import DATABASE_UNAVAILABLE, Database
from worker.jobs.runs.wait_for_database import retry_while_database_down

_SLEEP = text("SELECT pg_sleep(:seconds)")
_WHO = text("SELECT pg_backend_pid() AS pid, CAST(:word AS varchar) AS word")


@pytest.fixture
def single(database_url: str, settings: MakeSettings) -> Iterator[Database]:
    """A database whose pool has one connection."""
    database = Database(settings(database_url=database_url).sqlalchemy_url, pool_size=1, max_overflow=0)
    yield database
    database.close()


def backend(database: Database) -> int:
    with database.statement() as statement:
        row = statement.execute(_WHO, {"word": "100 % : sure"}).fetchone()
    assert row is not None
    assert row.word == "100 % : sure"
    return int(row.pid)


@contextmanager
def interrupted_after(seconds: float) -> Iterator[None]:
    """A signal whose handler raises, as the one of a job's time limit does."""

    def interrupt(*_: object) -> None:
        raise ZeroDivisionError

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_statement_is_committed_and_a_transaction_after_it_still_rolls_back(single: Database) -> None:
    with single.statement() as statement:
        statement.execute(text("CREATE TABLE samples (colour varchar)"), {})
    with single.statement() as statement:
        statement.execute(text("INSERT INTO samples VALUES (:colour)"), {"colour": "red"})
    with pytest.raises(RuntimeError), single.transaction() as session:
        session.execute(text("INSERT INTO samples VALUES (:colour)"), {"colour": "blue"})
        raise RuntimeError("the caller's own trouble")
    with single.transaction() as session:
        assert session.scalars(text("SELECT colour FROM samples")).all() == ["red"]


def test_a_connection_is_used_again_after_a_refused_statement(single: Database) -> None:
    before = backend(single)
    with pytest.raises(psycopg.errors.DivisionByZero), single.statement() as statement:
        statement.execute(text("SELECT 1 / :nothing"), {"nothing": 0})
    assert backend(single) == before


def test_a_broken_connection_is_replaced(single: Database, database: Database) -> None:
    before = backend(single)
    with database.transaction() as session:
        session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": before})
    assert retry_while_database_down(lambda: backend(single), seconds=5) != before


def test_a_connection_that_still_waits_for_an_answer_is_replaced(single: Database) -> None:
    before = backend(single)
    with pytest.raises(ZeroDivisionError), interrupted_after(0.2), single.statement() as statement:
        statement.execute(_SLEEP, {"seconds": 20})
    assert backend(single) != before


def test_a_database_that_stays_away_is_given_up() -> None:
    nowhere = Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    with pytest.raises(DATABASE_UNAVAILABLE):
        retry_while_database_down(lambda: backend(nowhere), seconds=0.5)
    nowhere.close()


def test_other_errors_are_not_waited_out() -> None:
    calls = []

    def write() -> None:
        calls.append(1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        retry_while_database_down(write, seconds=5)
    assert len(calls) == 1


def test_a_connection_that_has_become_read_only_is_not_used_again(single: Database) -> None:
    """As when the configuration is changed because the server's disk is full."""
    read_only = text("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
    with single.transaction() as session:
        session.execute(read_only)
    with single.statement() as statement:
        statement.execute(text("CREATE TABLE samples (colour varchar)"), {})
        statement.execute(read_only, {})
    with single.transaction() as session:
        session.execute(text("INSERT INTO samples VALUES ('red')"))
