"""The end of a run and the next claim, in one statement."""

from typing import Any

import pytest
from sqlalchemy import text

from tests.jobs.conftest import Ledger, SampleOrder
from worker.database import Database
from worker.jobs.orders.recording_orders import IngestRecording
from worker.jobs.reaper import reap
from worker.jobs.runs.cancel import cancel_job
from worker.jobs.runs.claim import Claim, new_token
from worker.jobs.runs.end_and_claim import end_and_claim
from worker.jobs.runs.run_statements import LeaseLost


def finish(ledger: Ledger, run: Claim, next_id: Any) -> Claim | None:
    with ledger.database.statement() as statement:
        return end_and_claim(statement, run, next_id, new_token(), worker="w1", lease=30.0, result={"rows": 1})


def test_both_happen_at_once(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    first, second = ledger.claim(ledger.order(sample_order())), ledger.order(sample_order(rows=2))
    claimed = finish(ledger, first, second)
    assert claimed is not None
    assert (claimed.job_id, claimed.args["rows"], claimed.attempt) == (second, 2, 1)
    ended, running = ledger.job(first.job_id), ledger.job(second)
    assert (ended.state, ended.result, ended.progress) == ("succeeded", {"rows": 1}, 100)
    assert (running.state, running.run_token, running.worker) == ("running", claimed.token, "w1")
    assert ended.finished_at == running.started_at
    assert [line.outcome for line in ledger.attempts(first.job_id)] == ["succeeded"]
    assert ledger.attempts(second) == []


def test_a_stale_token_claims_nothing(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    first, second = ledger.claim(ledger.order(sample_order())), ledger.order(sample_order())
    ledger.expire_lease(first.job_id)
    reap(ledger.database, {})
    with pytest.raises(LeaseLost):
        finish(ledger, first, second)
    assert (ledger.job(first.job_id).state, ledger.job(second).state) == ("retryable", "queued")
    assert ledger.job(second).attempt == 0


def test_the_run_ends_when_the_next_job_cannot_be_claimed(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    cancelled, taken = ledger.order(sample_order()), ledger.order(sample_order())
    with ledger.database.transaction() as session:
        cancel_job(session, {}, cancelled)
    token = ledger.claim(taken, worker="w2").token
    in_lane = ledger.order(IngestRecording(recording_id=1, session_id=1, spool_id="shared", size_bytes=1))
    for next_id in (cancelled, taken, in_lane):
        run = ledger.claim(ledger.order(sample_order()))
        assert finish(ledger, run, next_id) is None
        assert ledger.job(run.job_id).state == "succeeded"
    assert (ledger.job(cancelled).state, ledger.job(in_lane).state) == ("cancelled", "queued")
    assert ledger.job(taken).run_token == token


def test_the_run_does_not_wait_for_a_lock_on_the_next_job(
    ledger: Ledger, sample_order: type[SampleOrder], database: Database
) -> None:
    run, locked = ledger.claim(ledger.order(sample_order())), ledger.order(sample_order())
    with database.transaction() as session:
        session.execute(text("SELECT 1 FROM jobs WHERE id = :id FOR UPDATE"), {"id": locked})
        assert finish(ledger, run, locked) is None
    assert (ledger.job(run.job_id).state, ledger.job(locked).state) == ("succeeded", "queued")
