"""A response that is lost with its connection costs no attempt: the child finds what it has ended and claimed."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.engine import make_url

from tests.conftest import MakeSettings
from tests.jobs.conftest import Ledger, SampleOrder
from tests.jobs.lossy_proxy import LossyProxy
from worker.database import Database
from worker.jobs.orders.order import Order
from worker.jobs.orders.recording_orders import IngestRecording
from worker.jobs.reaper import reap
from worker.jobs.runs.claimer import Claimer
from worker.jobs.runs.job_run import JobRun
from worker.jobs.runs.perform import JobNotDone, Performer
from worker.jobs.runs.run_lease import LeaseTiming

CLAIM, END = "state = 'running', attempt = j.attempt + 1", "INSERT INTO job_attempts"


def nothing(_run: JobRun) -> None:
    return None


@pytest.fixture
def proxy(database_url: str) -> Iterator[LossyProxy]:
    proxy = LossyProxy(make_url(database_url).port or 0)
    yield proxy
    proxy.close()


@pytest.fixture
def remote(proxy: LossyProxy, database_url: str, settings: MakeSettings) -> Iterator[Database]:
    """The ledger's database behind the proxy."""
    url = make_url(database_url).set(port=proxy.port)
    database = Database(settings(database_url=url.render_as_string(hide_password=False)).sqlalchemy_url)
    yield database
    database.close()


def perform(remote: Database, ids: list[UUID], do: Callable[[JobRun], None] = nothing) -> list[UUID]:
    """Perform a message of these jobs; returns which ran."""
    ran: list[UUID] = []

    def work(run: JobRun, _order: Any) -> None:
        ran.append(run.claim.job_id)
        do(run)

    Performer(remote, "w1", LeaseTiming(30, 10, 5), 0.01, {}, 2).perform(ids[0], work, others=ids[1:])
    return ran


@pytest.mark.parametrize(
    ("order", "words"), [(SampleOrder(), CLAIM), (IngestRecording(1, 1, "shared", 1), "COMMIT")], ids=["plain", "lane"]
)
def test_a_claim_is_found_again(ledger: Ledger, remote: Database, proxy: LossyProxy, order: Order, words: str) -> None:
    job_id = ledger.order(order)
    proxy.lose(words)
    claimed = Claimer(remote, "w1", 30.0, 2).claim(job_id)
    job = ledger.job(job_id)
    assert claimed is not None
    assert (proxy.lost, job.state, job.attempt, job.run_token) == (1, "running", 1, claimed.token)


def test_a_claim_of_another_child_is_not_taken(ledger: Ledger, remote: Database, proxy: LossyProxy) -> None:
    job_id = ledger.order(SampleOrder())
    token = ledger.claim(job_id).token
    proxy.lose(CLAIM)
    assert Claimer(remote, "w1", 30.0, 2).claim(job_id) is None
    assert (proxy.lost, ledger.job(job_id).run_token) == (1, token)


@pytest.mark.parametrize("number", [1, 3])
def test_an_end_is_found_again_with_its_claim(ledger: Ledger, remote: Database, proxy: LossyProxy, number: int) -> None:
    ids = [ledger.order(SampleOrder(rows=rows)) for rows in range(number)]
    assert perform(remote, ids, lambda run: proxy.lose(END) if run.claim.job_id == ids[0] else None) == ids
    assert proxy.lost == 1
    assert [line.outcome for job_id in ids for line in ledger.attempts(job_id)] == ["succeeded"] * number
    assert [ledger.job(job_id).attempt for job_id in ids] == [1] * number


def test_a_lost_run_stays_lost(ledger: Ledger, remote: Database, proxy: LossyProxy) -> None:
    job_id = ledger.order(SampleOrder())

    def lose(_run: JobRun) -> None:
        ledger.expire_lease(job_id)
        assert reap(ledger.database, {}) == 1
        proxy.lose(END)

    with pytest.raises(JobNotDone, match="lease lost"):
        perform(remote, [job_id], lose)
    assert (proxy.lost, ledger.job(job_id).state) == (1, "retryable")
