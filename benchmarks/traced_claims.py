"""What a claim costs that returns the job's traceparent (worker/tracing), beside one that does not."""

from uuid import UUID

from sqlalchemy import TextClause, text

from benchmarks.harness.figure import Reading
from benchmarks.harness.timing import family_processor_seconds
from benchmarks.material.bare_stack import BareStack
from benchmarks.peers.noop_order import Noop
from worker.database import Database
from worker.jobs.enqueue import enqueue
from worker.jobs.runs.claim import claim_of, claim_statement, new_token

_TURNS = 10
_TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
_TRACE = "UPDATE jobs SET traceparent = %s WHERE state = 'queued'"


def measure_traced_claims(bare_stack: BareStack, jobs: int) -> Reading:
    """Claim as many jobs each way, in turns; CPU time of this process and its servers."""
    with_it = claim_statement(rule="")
    without = text(str(with_it).replace("j.traceparent", "NULL AS traceparent"))
    seconds = {with_it: 0.0, without: 0.0}
    database = Database(bare_stack.settings.sqlalchemy_url)
    each = max(1, jobs // _TURNS)
    for _turn in range(_TURNS):
        for statement in seconds:
            ids = _order(bare_stack, database, each)
            before = family_processor_seconds()
            _claim(database, statement, ids)
            seconds[statement] += family_processor_seconds() - before
    database.close()
    milliseconds = {statement: spent * 1000 / (each * _TURNS) for statement, spent in seconds.items()}
    return Reading(
        "processor time of a claim that returns the job's traceparent",
        milliseconds[with_it],
        "ms",
        None,
        milliseconds[without],
        "the same claim without it",
    )


def _order(bare_stack: BareStack, database: Database, jobs: int) -> list[UUID]:
    with database.transaction() as session:
        ids = [enqueue(session, Noop(number)) for number in range(jobs)]
    with bare_stack.connect() as connection:
        connection.execute(_TRACE, (_TRACEPARENT,))
    return ids


def _claim(database: Database, statement: TextClause, ids: list[UUID]) -> None:
    for job_id in ids:
        with database.statement() as session:
            row = session.execute(
                statement, {"id": job_id, "worker": "w", "lease": 30.0, "new_token": new_token()}
            ).fetchone()
        assert row is not None
        claim_of(row)
