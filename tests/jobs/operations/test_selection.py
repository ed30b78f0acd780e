"""Which jobs a filter selects."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from models.states import JOB_LIVE
from tests.jobs.conftest import Ledger, SampleOrder
from worker.jobs.operations.selection import JobFilter, select_jobs
from worker.jobs.orders.recording_orders import IngestRecording
from worker.jobs.runs.cancel import cancel_job


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (JobFilter(), {"waiting", "old", "ingest"}),
        (JobFilter(kind="tests.sample"), {"waiting", "old"}),
        (JobFilter(subject="recording:7"), {"ingest"}),
        (JobFilter(state="running"), set()),
        (JobFilter(older_than=timedelta(hours=1)), {"old"}),
        (JobFilter(kind="recordings.ingest", older_than=timedelta(hours=1)), set()),
    ],
)
def test_every_part_of_a_filter_narrows_it(ledger: Ledger, wanted: JobFilter, expected: set[str]) -> None:
    ids = {
        "waiting": ledger.order(SampleOrder()),
        "old": ledger.order(SampleOrder()),
        "ingest": ledger.order(IngestRecording(7, 1, "shared", 1)),
    }
    with ledger.database.transaction() as session:
        session.execute(text("UPDATE jobs SET created_at = now() - interval '2 h' WHERE id = :id"), {"id": ids["old"]})
    with ledger.database.transaction() as session:
        jobs = select_jobs(session, wanted, JOB_LIVE, after=None, most=10)
    assert {job.id for job in jobs} == {ids[name] for name in expected}


def test_batches_follow_one_another_without_gap_or_repeat(ledger: Ledger) -> None:
    ids = [ledger.order(SampleOrder()) for _ in range(5)]
    listed, after = [], None
    with ledger.database.transaction() as session:
        while batch := select_jobs(session, JobFilter(), JOB_LIVE, after=after, most=2):
            listed += [job.id for job in batch]
            after = batch[-1].position
    assert listed == ids


def test_a_running_job_that_was_asked_to_stop_is_left_out(ledger: Ledger) -> None:
    job_id = ledger.order(SampleOrder())
    ledger.claim(job_id)
    with ledger.database.transaction() as session:
        assert len(select_jobs(session, JobFilter(), JOB_LIVE, after=None, most=2)) == 1
        cancel_job(session, {}, job_id)
        assert select_jobs(session, JobFilter(), JOB_LIVE, after=None, most=2) == []
