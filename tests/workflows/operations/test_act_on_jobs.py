"""Many jobs retried, cancelled or purged at once."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from tests.conftest import Sql
from worker.database import Database
from worker.errors import InvalidInput, NotFound
from worker.jobs.enqueue import enqueue
from worker.jobs.operations.selection import JobFilter
from worker.jobs.orders.recording_orders import IngestRecording
from worker.jobs.orders.routine_orders import PruneLedger
from worker.jobs.runs.cancel import cancel_job
from worker.jobs.runs.claim import claim
from worker.workflows.operations.act_on_jobs import JobActionResult, act_on_job, act_on_jobs

INGESTS = JobFilter(kind="recordings.ingest")


def ingests(database: Database, number: int, *, state: str = "queued") -> list[UUID]:
    """So many ingests of recordings that do not exist, ended as `state` says."""
    ids = []
    for recording_id in range(1, number + 1):
        with database.transaction() as session:
            ids.append(enqueue(session, IngestRecording(recording_id, 1, "shared", 1)))
            if state == "cancelled":
                cancel_job(session, {}, ids[-1])
    return ids


def act(database: Database, action: str, wanted: JobFilter, **options: object) -> list[JobActionResult]:
    limit, dry_run = int(str(options.get("limit", 100))), bool(options.get("dry_run"))
    return [*act_on_jobs(database, action, wanted, by="cli:maria", limit=limit, dry_run=dry_run)]


def states(sql: Sql) -> dict[UUID, str]:
    return {row.id: row.state for row in sql("SELECT id, state FROM jobs")}


def test_those_that_match_are_retried_and_the_others_stay(database: Database, sql: Sql) -> None:
    ids = ingests(database, 3, state="cancelled")
    with database.transaction() as session:
        other = enqueue(session, PruneLedger())
        cancel_job(session, {}, other)
    results = act(database, "retry", INGESTS)

    assert [(result.job.id, result.error) for result in results] == [(job_id, None) for job_id in ids]
    assert states(sql) == dict.fromkeys(ids, "queued") | {other: "cancelled"}
    assert act(database, "retry", INGESTS) == []
    kept = sql("SELECT job_id, actor FROM job_actions WHERE action = 'retry' ORDER BY id")
    assert kept == [(job_id, "cli:maria") for job_id in ids]


def test_a_dry_run_changes_nothing(database: Database, sql: Sql) -> None:
    ids = ingests(database, 2)
    assert [result.job.id for result in act(database, "cancel", INGESTS, dry_run=True)] == ids
    assert set(states(sql).values()) == {"queued"}
    assert sql("SELECT 1 FROM job_actions") == []


def test_the_limit_takes_the_oldest(database: Database, sql: Sql) -> None:
    first, second, third = ingests(database, 3)
    act(database, "cancel", INGESTS, limit=2)
    assert states(sql) == {first: "cancelled", second: "cancelled", third: "queued"}


def test_more_than_a_batch_is_purged_and_no_live_job(database: Database, sql: Sql) -> None:
    sql(
        "INSERT INTO jobs (kind, state, finished_at) SELECT 'tests.sample', 'succeeded', now() FROM"
        " generate_series(1, 450)"
    )
    (live,) = ingests(database, 1)
    everything = JobFilter(kind="tests.sample")
    assert len(act(database, "purge", everything, limit=1000)) == 450
    assert states(sql) == {live: "queued"}
    assert act(database, "purge", INGESTS) == []


def test_one_that_fails_stops_no_other(database: Database, sql: Sql) -> None:
    """A second job with the same unique key is live; one has the arguments of another release; one is locked."""
    twin, odd, locked, plain = ingests(database, 4, state="cancelled")
    with database.transaction() as session:
        enqueue(session, IngestRecording(1, 1, "shared", 1))
    sql("UPDATE jobs SET kind = 'tests.gone' WHERE id = :id", id=odd)
    cancelled = JobFilter(state="cancelled")
    with database.transaction() as session:
        session.execute(text("SELECT 1 FROM jobs WHERE id = :id FOR UPDATE"), {"id": locked})
        results = {result.job.id: result.error or "" for result in act(database, "retry", cancelled)}

    assert "Another job does the same" in results[twin]
    assert "does not do any more" in results[odd]
    assert "locked by somebody else" in results[locked]
    assert results[plain] == ""
    assert states(sql)[plain] == "queued"


def test_arguments_of_another_release_stop_no_other_cancellation(database: Database, sql: Sql) -> None:
    odd, plain = ingests(database, 2)
    sql("UPDATE jobs SET args = '{\"unknown\": 1}' WHERE id = :id", id=odd)
    results = act(database, "cancel", INGESTS)
    odd_error, plain_error = (result.error for result in results)
    assert (plain_error, "those of another release" in str(odd_error)) == (None, True)
    assert states(sql) == {odd: "queued", plain: "cancelled"}


@pytest.mark.parametrize(
    ("action", "wanted", "words"),
    [
        ("purge", JobFilter(), "say which"),
        ("purge", JobFilter(state="running"), "No job in state running can be purged"),
        ("retry", JobFilter(state="succeeded"), "failed, dead or cancelled"),
        ("cancel", JobFilter(state="nonsense"), "No job in state nonsense"),
    ],
)
def test_what_means_nothing_is_refused(database: Database, action: str, wanted: JobFilter, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        act(database, action, wanted)


def test_one_job_by_its_id(database: Database, sql: Sql) -> None:
    running, waiting = ingests(database, 2)
    with database.transaction() as session:
        claim(session, running, worker="w1", lease=30)

    would = act_on_job(database, "purge", waiting, by="cli:maria", dry_run=True)
    assert "only those that are succeeded, failed, cancelled or dead can be purged" in (would.error or "")
    for job_id in (running, waiting):
        assert act_on_job(database, "cancel", job_id, by="cli:maria", dry_run=False).error is None
    assert states(sql) == {running: "running", waiting: "cancelled"}
    with pytest.raises(NotFound):
        act_on_job(database, "retry", uuid4(), by="cli:maria", dry_run=False)
