"""Which jobs a caller may read."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from tests.jobs.conftest import Ledger, SampleOrder
from worker.errors import NotFound
from worker.jobs.operations.metrics import queue_metrics
from worker.jobs.operations.reading import list_jobs, read_attempts, read_job, read_jobs
from worker.jobs.orders.recording_orders import IngestRecording
from worker.jobs.runs.run_statements import end

FIELDS = [
    "id",
    "kind",
    "subject",
    "state",
    "attempt",
    "progress",
    "progress_note",
    "error",
    "result",
    "created_at",
    "started_at",
    "finished_at",
]


def test_a_job_s_document(ledger: Ledger) -> None:
    job_id = ledger.order(IngestRecording(12, session_id=1, spool_id="shared", size_bytes=1), principal="user:1")
    with ledger.database.transaction() as session:
        job = read_job(session, job_id)
    assert list(job.document) == FIELDS
    assert job.document["id"] == str(job_id)
    assert (job.document["kind"], job.document["subject"]) == ("recordings.ingest", "recording:12")
    assert (job.document["state"], job.document["attempt"], job.document["progress"]) == ("queued", 0, 0)
    assert job.document["created_at"].endswith("+00:00")
    assert (job.principal, job.finished) == ("user:1", False)


def test_only_who_ordered_it_finds_it(ledger: Ledger) -> None:
    job_id = ledger.order(IngestRecording(12, session_id=1, spool_id="shared", size_bytes=1), principal="user:1")
    with ledger.database.transaction() as session:
        assert read_job(session, job_id, principal="user:1").document["id"] == str(job_id)
        for job, principal in ((job_id, "user:11"), (job_id, "user:2"), (uuid4(), None)):
            with pytest.raises(NotFound):
                read_job(session, job, principal=principal)


def test_the_number_moves_with_every_visible_change(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    job_id = ledger.order(sample_order())
    views = []
    claim = None
    for change in ("wait", "claim", "end"):
        if change == "claim":
            claim = ledger.claim(job_id)
        if change == "end":
            with ledger.database.transaction() as session:
                assert claim is not None
                end(session, job_id, claim.token, state="succeeded", result={"rows": 1})
        with ledger.database.transaction() as session:
            views.append(read_jobs(session, [job_id, uuid4()])[job_id])
    assert [job.document["state"] for job in views] == ["queued", "running", "succeeded"]
    assert views[0].seq < views[1].seq < views[2].seq
    assert views[2].finished
    assert views[2].document["result"] == {"rows": 1}


def test_attempts_are_told_oldest_first(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    job_id = ledger.order(sample_order())
    for outcome in ("released", "failed"):
        claim = ledger.claim(job_id)
        with ledger.database.transaction() as session:
            state = "queued" if outcome == "released" else "failed"
            end(session, job_id, claim.token, state=state, outcome=outcome, error={"code": "x"})
    with ledger.database.transaction() as session:
        attempts = read_attempts(session, job_id)
    assert [(attempt["attempt"], attempt["outcome"]) for attempt in attempts] == [(1, "released"), (1, "failed")]
    assert list(attempts[0]) == ["attempt", "outcome", "error", "started_at", "ended_at"]


def test_pages_meet_though_jobs_of_one_instant_and_new_ones_come(
    ledger: Ledger, sample_order: type[SampleOrder]
) -> None:
    """Seven jobs, five of them made in one transaction (so at one `now()`), listed two by two."""
    with ledger.database.transaction() as session:
        insert = text("INSERT INTO jobs (kind) SELECT 'tests.sample' FROM generate_series(1, 5)")
        session.execute(insert)
    for _ in range(2):
        ledger.order(sample_order())
    ids: list[str] = []
    before = None
    while True:
        with ledger.database.transaction() as session:
            jobs = list_jobs(session, before=before, limit=2)
        ids += [job.document["id"] for job in jobs]
        ledger.order(sample_order())  # newer than all that was listed: it must not push anything
        if len(jobs) < 2:
            break
        before = jobs[-1].position
    assert len(ids) == len(set(ids)) == 7


def test_filters(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    mine = ledger.order(IngestRecording(12, session_id=1, spool_id="shared", size_bytes=1), principal="user:1")
    theirs = ledger.order(IngestRecording(13, session_id=1, spool_id="shared", size_bytes=1), principal="user:2")
    other = ledger.order(sample_order())
    ledger.claim(other)
    cases: tuple[tuple[dict[str, Any], list[UUID]], ...] = (
        ({}, [other, theirs, mine]),
        ({"principal": "user:1"}, [mine]),
        ({"state": "running"}, [other]),
        ({"kind": "recordings.ingest"}, [theirs, mine]),
        ({"subject": "recording:13"}, [theirs]),
        ({"subject": "recording:13", "principal": "user:1"}, []),
    )
    for filters, expected in cases:
        with ledger.database.transaction() as session:
            jobs = list_jobs(session, **filters)
        assert [job.document["id"] for job in jobs] == [str(job_id) for job_id in expected], filters


def test_the_figures_of_the_queue(ledger: Ledger, sample_order: type[SampleOrder]) -> None:
    with ledger.database.transaction() as session:
        assert queue_metrics(session).counts == {}
        assert queue_metrics(session).oldest_due_age == 0
    first = ledger.order(sample_order())
    ledger.order(sample_order())
    ledger.claim(first)
    # Over for long: not counted, as there may be millions.
    old = ledger.order(sample_order())
    with ledger.database.transaction() as session:
        end = text("UPDATE jobs SET state = 'failed', finished_at = now() - interval '2 h' WHERE id = :id")
        session.execute(end, {"id": old})
        session.execute(text("UPDATE jobs SET run_at = now() - interval '1 min' WHERE state = 'queued'"))
    with ledger.database.transaction() as session:
        metrics = queue_metrics(session)
    assert metrics.counts == {("queued", "tests.sample"): 1, ("running", "tests.sample"): 1}
    assert 60 <= metrics.oldest_due_age < 90
