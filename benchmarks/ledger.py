"""The cost of the ledger: jobs that do nothing, end to end, beside bare Celery with the same settings."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from uuid import UUID, uuid4

from benchmarks.harness.figure import Figure
from benchmarks.harness.scale import Scale
from benchmarks.ledger_turns import Turns, compare_turns
from benchmarks.material.bare_stack import BareStack, running_bare_stack
from benchmarks.material.full_stack import wait_for
from benchmarks.peers.noop_order import Noop
from benchmarks.peers.noop_task import KIND
from benchmarks.peers.noop_worker import create_bare_app
from benchmarks.traced_claims import measure_traced_claims
from worker.app import create_app
from worker.database import Database
from worker.jobs.enqueue import enqueue
from worker.jobs.job_message import JobMessage
from worker.processes.broker import sender, start_publisher

_UNDONE = "SELECT 1 FROM jobs WHERE state IN ('queued', 'published', 'running', 'retryable') LIMIT 1"
_TIME_LIMIT = 270
_WARM_UP = 50
# Prefixes of the statements that are listed.
_STATEMENTS = """
    SELECT left(regexp_replace(query, '\\s+', ' ', 'g'), 90), calls, total_exec_time FROM pg_stat_statements
     WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY total_exec_time DESC
"""


def measure_ledger(scale: Scale) -> Figure:
    """Measure in turns: jobs through the ledger, and as many messages through bare Celery."""
    figure = Figure("Ledger: jobs that do nothing, ordered one by one until the last has succeeded")
    ours, bare, patched = Turns(), Turns(), Turns()
    with running_bare_stack() as bare_stack:
        for _repeat in range(scale.ledger_repeats):
            with bare_stack.worker("bare"):
                _take_peer(bare_stack, bare, scale.ledger_jobs, patched=False)
            with bare_stack.worker("patched"):
                _take_peer(bare_stack, patched, scale.ledger_jobs, patched=True)
            with bare_stack.worker("ours"), ordering(bare_stack) as database:
                _our_seconds(bare_stack, database, _WARM_UP)
                ours.take(partial(_our_seconds, bare_stack, database, scale.ledger_jobs), scale.ledger_jobs)
        traced = measure_traced_claims(bare_stack, scale.ledger_jobs)
    figure.readings += compare_turns(scale.ledger_jobs, ours, bare, patched)
    figure.readings.append(traced)
    figure.notes.append(
        "Celery with the same fixes sends events in batches, keeps its Redis client and logs no message, as ours does "
        "(worker/processes); Celery alone does not. Celery sends a message for each job; our jobs share messages while "
        "more of them wait than there are children."
    )
    figure.notes += _costs(scale)
    return figure


def _take_peer(bare_stack: BareStack, turns: Turns, jobs: int, *, patched: bool) -> None:
    run = partial(_bare_seconds, bare_stack, patched=patched)
    run(_WARM_UP)
    turns.take(partial(run, jobs), jobs)


@contextmanager
def ordering(bare_stack: BareStack) -> Iterator[Database]:
    """The enqueuing side: a database whose commits trigger a publisher, as in the API."""
    app = create_app(bare_stack.settings, ())
    database, publisher = start_publisher(app, bare_stack.settings)
    try:
        yield database
    finally:
        publisher.stop()
        database.close()
        app.close()


def order_noop(database: Database, number: int = 0) -> UUID:
    """Enqueue one job in its own transaction."""
    with database.transaction() as session:
        return enqueue(session, Noop(number))


def _our_seconds(bare_stack: BareStack, database: Database, jobs: int) -> float:
    began = time.perf_counter()
    for number in range(jobs):
        order_noop(database, number)
    with bare_stack.connect() as connection:
        wait_for(lambda: connection.execute(_UNDONE).fetchone() is None, pause=0.02)
    return time.perf_counter() - began


def _bare_seconds(bare_stack: BareStack, jobs: int, *, patched: bool) -> float:
    app = create_bare_app(bare_stack.settings, patched=patched)
    send = sender(app)
    began = time.perf_counter()
    for _number in range(jobs):
        job_id = uuid4()
        send(JobMessage(job_id, KIND, "default", f"{job_id}:1.1", _TIME_LIMIT))
    bare_stack.wait_until_broker_empty()
    seconds = time.perf_counter() - began
    app.close()
    return seconds


def _costs(scale: Scale) -> list[str]:
    """The statements of one job, measured on a separate server, since counting slows it down slightly."""
    jobs = max(50, scale.ledger_jobs // 3)
    with (
        running_bare_stack(watch_statements=True) as bare_stack,
        bare_stack.worker("ours"),
        ordering(bare_stack) as database,
        bare_stack.connect() as connection,
    ):
        _our_seconds(bare_stack, database, _WARM_UP)
        connection.execute("SELECT pg_stat_statements_reset()")
        _our_seconds(bare_stack, database, jobs)
        statements = connection.execute(_STATEMENTS).fetchall()
    heading = (
        f"What one job costs in PostgreSQL (over {jobs} jobs): these statements. Only the order has BEGIN and COMMIT; "
    )
    notes = [heading + "every other statement is a transaction of its own."]
    notes += [
        f"`{query.strip()}`: {calls / jobs:.2f} a job, {total / jobs:.3f} ms"
        for query, calls, total in statements
        if calls >= jobs / 2 or total / jobs >= 0.02
    ]
    return notes
