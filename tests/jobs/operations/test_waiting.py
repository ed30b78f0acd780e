"""Why a job waits."""

from uuid import UUID

import pytest

from tests.conftest import Sql
from tests.jobs.conftest import Ledger, SampleOrder
from worker.database import Database
from worker.jobs.heartbeats import HeartbeatWriter
from worker.jobs.operations.waiting import why_waiting

NOTE = {"progress_note": "waiting: no worker consumes the queue default"}


def why(database: Database, job_id: UUID) -> dict[str, str]:
    with database.transaction() as session:
        return why_waiting(session, job_id, interval=10)


@pytest.mark.parametrize("state", ["queued", "published", "retryable"])
def test_a_job_without_a_consumer_says_so(
    ledger: Ledger, sample_order: type[SampleOrder], sql: Sql, state: str
) -> None:
    job_id = ledger.order(sample_order())
    sql("UPDATE jobs SET state = :state, lease_until = now() WHERE id = :id", state=state, id=job_id)
    HeartbeatWriter(ledger.database, "a", "consumer", interval=10, queues=("media",)).beat()
    assert why(ledger.database, job_id) == NOTE
    HeartbeatWriter(ledger.database, "a", "consumer", interval=10, queues=("default",)).beat()
    assert why(ledger.database, job_id) == {}
    sql("UPDATE heartbeats SET seen_at = now() - interval '31 s'")
    assert why(ledger.database, job_id) == NOTE


def test_a_job_that_has_ended_waits_for_nothing(ledger: Ledger, sample_order: type[SampleOrder], sql: Sql) -> None:
    job_id = ledger.order(sample_order())
    sql("UPDATE jobs SET state = 'succeeded', finished_at = now()")
    assert why(ledger.database, job_id) == {}
