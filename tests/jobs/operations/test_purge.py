"""Purging a job that has ended."""

from uuid import uuid4

import pytest

from tests.jobs.conftest import Ledger, SampleOrder
from worker.errors import Conflict, NotFound
from worker.jobs.actions import read_actions
from worker.jobs.operations.purge import purge_job
from worker.jobs.runs.run_statements import end


def test_a_job_that_has_ended_goes_with_its_attempts_and_who_did_it_stays(ledger: Ledger) -> None:
    job_id = ledger.order(SampleOrder())
    run = ledger.claim(job_id)
    with ledger.database.transaction() as session:
        end(session, job_id, run.token, state="succeeded")
    with ledger.database.transaction() as session:
        purge_job(session, job_id, by="cli:maria")

    assert (ledger.count(), ledger.attempts(job_id)) == (0, [])
    with ledger.database.transaction() as session:
        (action,) = read_actions(session, job_id)
    assert (action["action"], action["actor"], action["state"]) == ("purge", "cli:maria", "succeeded")


def test_a_job_that_has_not_ended_stays(ledger: Ledger) -> None:
    waiting, running = ledger.order(SampleOrder()), ledger.order(SampleOrder())
    ledger.claim(running)
    for job_id in (waiting, running):
        with pytest.raises(Conflict, match="Cancel it first"), ledger.database.transaction() as session:
            purge_job(session, job_id, by="cli:maria")
    with pytest.raises(NotFound), ledger.database.transaction() as session:
        purge_job(session, uuid4(), by="cli:maria")
    assert ledger.count() == 2
