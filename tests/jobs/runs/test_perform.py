"""A failure that repeats identically ends the job, which says so."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from sqlalchemy import text

from tests.jobs.conftest import Ledger, SampleOrder
from worker.errors import Unavailable
from worker.jobs.orders.recording_orders import IngestRecording
from worker.jobs.reaper import reap
from worker.jobs.runs.cancel import retry_job
from worker.jobs.runs.job_run import JobRun
from worker.jobs.runs.perform import JobNotDone, Performer
from worker.jobs.runs.retry import equal_failures
from worker.jobs.runs.run_lease import LeaseTiming
from worker.jobs.runs.settle import release_runs
from worker.media.errors import FfmpegFailed, FfmpegKilled, FfmpegTimeout, OutputDamaged

# An order of ten attempts.
INGEST = IngestRecording(recording_id=1, session_id=1, spool_id="shared", size_bytes=1)


Fail = Callable[[UUID, Exception], Any]


@pytest.fixture
def fail(ledger: Ledger) -> Fail:
    """Run the job, which fails like this; the answer is its row. It may run again at once."""
    performer = Performer(ledger.database, "w1", LeaseTiming(30, 10, 0.05), 0.01, {})

    def attempt(job_id: UUID, error: Exception) -> Any:
        def work(_run: JobRun, _order: Any) -> None:
            raise error

        with ledger.database.transaction() as session:
            session.execute(text("UPDATE jobs SET run_at = now() WHERE id = :id"), {"id": job_id})
        with pytest.raises(JobNotDone):
            performer.perform(job_id, work)
        return ledger.job(job_id)

    return attempt


@pytest.fixture
def job(ledger: Ledger, sample_order: type[SampleOrder]) -> UUID:
    return ledger.order(sample_order())  # three attempts


def failed(word: str) -> FfmpegFailed:
    return FfmpegFailed(word, returncode=1, stderr=word)


def test_the_second_equal_failure_is_final_and_says_so(job: UUID, fail: Fail) -> None:
    assert fail(job, failed("no header at 0x7f01")).state == "retryable"
    row = fail(job, failed("no header at 0x7f02"))
    assert (row.state, row.attempt, row.error["code"]) == ("failed", 2, "ffmpeg-failed")
    assert row.error["detail"].endswith("It failed 2 times in the same way and is not tried again.")


def test_shutdowns_in_between_do_not_hide_the_first(job: UUID, fail: Fail, ledger: Ledger) -> None:
    assert fail(job, failed("no header")).state == "retryable"
    for _shutdown in range(2):
        with ledger.database.transaction() as session:
            session.execute(text("UPDATE jobs SET run_at = now() WHERE id = :id"), {"id": job})
        ledger.claim(job, worker="closing")
        assert release_runs(ledger.database, {}, "closing") == 1
    assert fail(job, failed("no header")).state == "failed"


def test_another_failure_in_between_begins_anew(job: UUID, fail: Fail) -> None:
    assert fail(job, failed("no header")).state == "retryable"
    assert fail(job, FfmpegTimeout("Media processing took more than 60 seconds.")).state == "retryable"
    assert fail(job, failed("no header")).state == "dead"


def test_an_outage_is_waited_for_to_the_last_attempt(job: UUID, fail: Fail) -> None:
    outage = Unavailable("B2 does not answer.")
    assert [fail(job, outage).state for _ in range(3)] == ["retryable", "retryable", "dead"]


@pytest.mark.parametrize(
    ("error", "states"),
    [
        (FfmpegTimeout("Media processing stood still for 30 seconds."), ["retryable", "failed"]),
        (SoftTimeLimitExceeded(), ["retryable", "failed"]),
        (FfmpegKilled("ffmpeg was ended by signal 9", returncode=-9, stderr=""), ["retryable", "retryable", "failed"]),
        (ValueError("a mistake of ours"), ["retryable", "retryable", "failed"]),
        (OSError("what the system said may pass"), ["retryable", "retryable", "retryable", "retryable"]),
        (OutputDamaged("The copy is not right."), ["failed"]),
    ],
)
def test_how_often_each_kind_is_tried(error: Exception, states: list[str], fail: Fail, ledger: Ledger) -> None:
    job = ledger.order(INGEST)
    assert [fail(job, error).state for _ in states] == states


def test_a_retry_begins_a_new_series(job: UUID, fail: Fail, ledger: Ledger) -> None:
    for _ in range(2):
        fail(job, failed("no header"))
    with ledger.database.transaction() as session:
        retry_job(session, job)
    assert fail(job, failed("no header")).state == "retryable"
    assert fail(job, failed("no header")).state == "failed"


def test_work_that_takes_its_worker_with_it_is_given_up(ledger: Ledger) -> None:
    job_id = ledger.order(INGEST)
    for lost in range(1, 5):
        with ledger.database.transaction() as session:
            session.execute(text("UPDATE jobs SET run_at = now() WHERE id = :id"), {"id": job_id})
        ledger.claim(job_id)
        ledger.expire_lease(job_id)
        assert reap(ledger.database, {}) == 1
        row = ledger.job(job_id)
        assert row.state == ("dead" if lost == 4 else "retryable")
    assert row.error["code"] == "worker-lost"
    assert "4 times" in row.error["detail"]


@pytest.mark.parametrize(
    ("before", "count"),
    [
        ([], 0),
        ([{"code": "a", "detail": "7 of 9"}, {"code": "a", "detail": "8 of 9"}], 2),
        ([{"code": "a", "detail": "no"}, {"code": "a", "detail": "8 of 9"}], 0),
        ([{"code": "b", "detail": "8 of 9"}], 0),
        ([None, {"code": "a", "detail": "8 of 9"}], 0),
    ],
)
def test_equal_means_the_same_code_and_the_same_words(before: list[Any], count: int) -> None:
    assert equal_failures({"code": "a", "detail": "1 of 9"}, before) == count
