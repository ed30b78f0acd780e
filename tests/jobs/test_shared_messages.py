"""A child runs the jobs of one message: each has its own claim, attempt and outcome."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from tests.jobs.conftest import Ledger, SampleOrder
from worker.errors import InvalidInput, Unavailable
from worker.jobs.job_message import JobMessage
from worker.jobs.publish import PublicationLease, publish
from worker.jobs.reaper import reap
from worker.jobs.runs.cancel import cancel_job
from worker.jobs.runs.job_run import JobRun
from worker.jobs.runs.perform import JobNotDone, Performer
from worker.jobs.runs.run_lease import LeaseTiming

Do = Callable[[JobRun], None]


def nothing(_run: JobRun) -> None:
    return None


@pytest.fixture
def message(ledger: Ledger, sample_order: type[SampleOrder]) -> JobMessage:
    """A published message of four jobs."""
    for rows in range(4):
        ledger.order(sample_order(rows=rows))
    sent: list[JobMessage] = []
    publish(ledger.database, sent.append, PublicationLease(20.0, 600.0))
    (message,) = sent
    return message


def perform(ledger: Ledger, message: JobMessage, *works: Do, **options: Any) -> list[UUID]:
    """Perform the message: the first run does the first work, and so on. Returns which jobs ran."""
    performer = Performer(ledger.database, "w1", LeaseTiming(30, 10, 0.05), 0.01, {}, 2, **options)
    left, ran = list(works), list[UUID]()

    def work(run: JobRun, _order: Any) -> None:
        ran.append(run.claim.job_id)
        (left.pop(0) if left else nothing)(run)

    performer.perform(message.job_id, work, others=message.others)
    return ran


def states(ledger: Ledger, ids: tuple[UUID, ...]) -> list[tuple[str, int]]:
    return [(row.state, row.attempt) for row in map(ledger.job, ids)]


def test_each_job_is_claimed_when_the_one_before_has_ended(ledger: Ledger, message: JobMessage) -> None:
    seen: list[list[tuple[str, int]]] = []

    def look(_run: JobRun) -> None:
        seen.append(states(ledger, message.job_ids))

    assert perform(ledger, message, *[look] * 4) == [*message.job_ids]
    done, running, waiting = ("succeeded", 1), ("running", 1), ("published", 0)
    assert seen == [[done] * before + [running] + [waiting] * (3 - before) for before in range(4)]
    assert states(ledger, message.job_ids) == [done] * 4
    assert [line.outcome for job_id in message.job_ids for line in ledger.attempts(job_id)] == ["succeeded"] * 4


def test_a_failed_job_does_not_stop_the_others(ledger: Ledger, message: JobMessage) -> None:
    def reject(_run: JobRun) -> None:
        raise InvalidInput("This input cannot be processed.")

    def postpone(_run: JobRun) -> None:
        raise Unavailable("The resource is in use.")

    with pytest.raises(JobNotDone, match="This input cannot be processed"):
        perform(ledger, message, reject, nothing, postpone)
    assert [state for state, _attempt in states(ledger, message.job_ids)] == [
        "failed",
        "succeeded",
        "retryable",
        "succeeded",
    ]


def test_a_cancelled_job_of_a_message_does_not_run(ledger: Ledger, message: JobMessage) -> None:
    def cancel_second(_run: JobRun) -> None:
        with ledger.database.transaction() as session:
            assert cancel_job(session, {}, message.job_ids[1]) == "cancelled"

    ran = perform(ledger, message, cancel_second)
    assert ran == [message.job_ids[0], *message.job_ids[2:]]
    assert states(ledger, message.job_ids)[1] == ("cancelled", 0)


def test_a_lost_run_leaves_the_others_theirs(ledger: Ledger, message: JobMessage) -> None:
    def lose(run: JobRun) -> None:
        ledger.expire_lease(run.claim.job_id)
        assert reap(ledger.database, {}) == 1

    with pytest.raises(JobNotDone, match="lease lost"):
        perform(ledger, message, lose)
    assert states(ledger, message.job_ids) == [("retryable", 1)] + [("succeeded", 1)] * 3


def test_jobs_that_another_worker_has_done_are_passed_over(ledger: Ledger, message: JobMessage) -> None:
    """The message was redelivered, or its jobs were published again."""
    perform(ledger, JobMessage(message.job_ids[1], "tests.sample", "default", "second", 270))
    ran = perform(ledger, message)
    assert ran == [message.job_ids[0], *message.job_ids[2:]]
    assert perform(ledger, message) == []


def test_a_stopping_worker_gives_back_what_has_not_begun(ledger: Ledger, message: JobMessage) -> None:
    stopping: list[bool] = []
    ran = perform(ledger, message, lambda _run: stopping.append(True), stopping=lambda: bool(stopping))
    assert ran == [message.job_id]
    assert states(ledger, message.job_ids) == [("succeeded", 1)] + [("queued", 0)] * 3
    assert {ledger.job(job_id).publications for job_id in message.others} == {0}
    assert [line for job_id in message.others for line in ledger.attempts(job_id)] == []


def test_a_message_without_others_is_one_of_the_release_before(ledger: Ledger, message: JobMessage) -> None:
    alone = JobMessage(message.job_id, message.kind, message.queue, message.message_id, message.time_limit)
    assert perform(ledger, alone) == [message.job_id]
    assert states(ledger, message.others) == [("published", 0)] * 3
