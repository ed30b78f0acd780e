"""A time limit that interrupts a statement is recorded as such, not as a failure of the database."""

import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from sqlalchemy import text

from tests.jobs.conftest import Ledger, SampleOrder
from tests.statements import run_statement
from tests.waiting import wait_for
from worker.jobs.runs.job_run import JobRun
from worker.jobs.runs.perform import JobNotDone, Performer
from worker.jobs.runs.run_lease import LeaseTiming

_SLEEPS = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"


@pytest.fixture
def limit() -> Iterator[signal.Signals]:
    """The signal at which this process raises SoftTimeLimitExceeded, as a child does."""

    def interrupt(*_signal: Any) -> None:
        raise SoftTimeLimitExceeded

    before = signal.signal(signal.SIGUSR1, interrupt)
    yield signal.SIGUSR1
    signal.signal(signal.SIGUSR1, before)


def test_a_time_limit_within_a_statement(ledger: Ledger, limit: signal.Signals) -> None:
    job_id = ledger.order(SampleOrder())
    working = threading.main_thread().ident or 0

    def interrupt_the_statement() -> None:
        wait_for(lambda: run_statement(ledger.database, _SLEEPS))
        signal.pthread_kill(working, limit)

    def work(_run: JobRun, _order: SampleOrder) -> None:
        with ledger.database.transaction() as session:
            threading.Thread(target=interrupt_the_statement).start()
            session.execute(text("SELECT pg_sleep(25)"))

    with pytest.raises(JobNotDone):
        Performer(ledger.database, "w1", LeaseTiming(30, 10, 10), 0.01, {}).perform(job_id, work)
    assert (ledger.job(job_id).state, ledger.job(job_id).error["code"]) == ("retryable", "time-limit")
    with ledger.database.transaction() as session:
        assert session.scalars(text("SELECT 1")).one() == 1
