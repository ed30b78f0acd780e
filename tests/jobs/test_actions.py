"""The record of who acted on a job."""

from sqlalchemy import text

from tests.jobs.conftest import Ledger, SampleOrder
from worker.jobs.actions import prune_actions, read_actions
from worker.jobs.runs.cancel import cancel_job, retry_job


def test_who_cancelled_and_retried_is_kept_in_order(ledger: Ledger) -> None:
    job_id = ledger.order(SampleOrder())
    with ledger.database.transaction() as session:
        cancel_job(session, {}, job_id, by="operator:3")
    with ledger.database.transaction() as session:
        retry_job(session, job_id, by="cli:maria")
    with ledger.database.transaction() as session:
        actions = read_actions(session, job_id)

    assert [(each["action"], each["actor"], each["state"]) for each in actions] == [
        ("cancel", "operator:3", "queued"),
        ("retry", "cli:maria", "cancelled"),
    ]


def test_a_second_request_to_stop_is_no_second_action(ledger: Ledger) -> None:
    job_id = ledger.order(SampleOrder())
    ledger.claim(job_id)
    for who in ("user:1", "user:2"):
        with ledger.database.transaction() as session:
            assert cancel_job(session, {}, job_id, by=who) == "running"
    with ledger.database.transaction() as session:
        assert [each["actor"] for each in read_actions(session, job_id)] == ["user:1"]


def test_old_records_are_pruned(ledger: Ledger) -> None:
    old, young = ledger.order(SampleOrder()), ledger.order(SampleOrder())
    for job_id in (old, young):
        with ledger.database.transaction() as session:
            cancel_job(session, {}, job_id)
    with ledger.database.transaction() as session:
        session.execute(text("UPDATE job_actions SET at = now() - interval '1 h' WHERE job_id = :id"), {"id": old})
    with ledger.database.transaction() as session:
        assert prune_actions(session, age=60, most=10) == 1
        assert (read_actions(session, old), len(read_actions(session, young))) == ([], 1)
