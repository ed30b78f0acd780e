"""The cost of the ledger: jobs that do nothing, end to end, beside bare Celery with the same settings."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID, uuid4

import psutil

from benchmarks.bare_nothing import KIND
from benchmarks.figure import Figure, Limit, Reading, median
from benchmarks.ground import wait_for
from benchmarks.laboratory import Laboratory, running_laboratory
from benchmarks.nothing import Nothing
from benchmarks.nothing_worker import create_bare_app
from benchmarks.scale import Scale
from worker.app import create_app
from worker.database import Database
from worker.jobs.enqueue import enqueue
from worker.jobs.orders import order_kinds
from worker.jobs.publish import JobMessage
from worker.jobs.routine_orders import FillSeries
from worker.metrics.families import families_of
from worker.metrics.recorder import record_attempt, record_to
from worker.metrics.shared_metrics import SharedMetrics
from worker.processes.broker import sender, start_publisher

_UNDONE = "SELECT 1 FROM jobs WHERE state IN ('queued', 'published', 'running', 'retryable') LIMIT 1"
_TIME_LIMIT = 270
_WARM_UP = 50
_RECORDED = 20_000
# Prefixes of the statements that are listed.
_STATEMENTS = """
    SELECT left(regexp_replace(query, '\\s+', ' ', 'g'), 90), calls, total_exec_time FROM pg_stat_statements
     WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY total_exec_time DESC
"""


@dataclass
class _Turns:
    """The results of each round: jobs per second, and milliseconds of CPU time per job."""

    rates: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def take(self, run: Callable[[], float], jobs: int) -> None:
        before = _processor_seconds()
        self.rates.append(jobs / run())
        self.processor.append((_processor_seconds() - before) * 1000 / jobs)


def measure_ledger(scale: Scale) -> Figure:
    """Measure in turns: jobs through the ledger, and as many messages through bare Celery."""
    figure = Figure("Ledger: jobs that do nothing, ordered one by one until the last has succeeded")
    ours, bare = _Turns(), _Turns()
    with running_laboratory() as laboratory:
        for _repeat in range(scale.ledger_repeats):
            with laboratory.worker("bare"):
                _bare_seconds(laboratory, _WARM_UP)
                bare.take(partial(_bare_seconds, laboratory, scale.ledger_jobs), scale.ledger_jobs)
            with laboratory.worker("ours"), ordering(laboratory) as database:
                _our_seconds(laboratory, database, _WARM_UP)
                ours.take(partial(_our_seconds, laboratory, database, scale.ledger_jobs), scale.ledger_jobs)
    figure.readings += _compared(scale, ours, bare)
    figure.notes.append(
        "Ours sends events in batches and keeps its Redis client (worker/processes); Celery alone does neither. What "
        "that is worth stands below, in what was found."
    )
    figure.notes += _costs(scale)
    return figure


def _compared(scale: Scale, ours: _Turns, bare: _Turns) -> list[Reading]:
    name = "Celery alone: same settings, events, acknowledged late"
    what = f"{scale.ledger_jobs} jobs, 2 children: order to succeeded"
    return [
        Reading.of(what, ours.rates, "jobs/s", bare.rates, name, Limit("ratio", "≥", 0.6)),
        Reading(
            "the same, fastest turn of each (the least disturbed)",
            max(ours.rates),
            "jobs/s",
            None,
            max(bare.rates),
            name,
        ),
        Reading.of(
            "processor time a job: orderer, PostgreSQL, Valkey, worker",
            ours.processor,
            "ms",
            bare.processor,
            name,
        ),
        Reading(
            "of that: to record how long a job waited and ran, and how it ended",
            _recording_milliseconds(),
            "ms",
            None,
            median(ours.processor),
            "the whole job",
            Limit("ratio", "<", 0.02),
        ),
    ]


def _recording_milliseconds() -> float:
    """CPU time of what a child records of one job (worker/metrics)."""
    record_to(SharedMetrics(families_of(order_kinds()), children=2))
    began = time.process_time()
    for _job in range(_RECORDED):
        record_attempt(FillSeries.kind, "succeeded", waited=0.02, ran=0.001)
    seconds = time.process_time() - began
    record_to(None)
    return seconds * 1000 / _RECORDED


@contextmanager
def ordering(laboratory: Laboratory) -> Iterator[Database]:
    """The enqueuing side: a database whose commits trigger a publisher, as in the API."""
    app = create_app(laboratory.settings, ())
    database, publisher = start_publisher(app, laboratory.settings)
    try:
        yield database
    finally:
        publisher.stop()
        database.close()
        app.close()


def order_nothing(database: Database, number: int = 0) -> UUID:
    """Enqueue one job in its own transaction."""
    with database.transaction() as session:
        return enqueue(session, Nothing(number))


def _our_seconds(laboratory: Laboratory, database: Database, jobs: int) -> float:
    began = time.perf_counter()
    for number in range(jobs):
        order_nothing(database, number)
    with laboratory.connect() as connection:
        wait_for(lambda: connection.execute(_UNDONE).fetchone() is None, pause=0.02)
    return time.perf_counter() - began


def _bare_seconds(laboratory: Laboratory, jobs: int) -> float:
    app = create_bare_app(laboratory.settings)
    send = sender(app)
    began = time.perf_counter()
    for _number in range(jobs):
        job_id = uuid4()
        send(JobMessage(job_id, KIND, "default", f"{job_id}:1.1", _TIME_LIMIT))
    laboratory.wait_until_broker_empty()
    seconds = time.perf_counter() - began
    app.close()
    return seconds


def _processor_seconds() -> float:
    """CPU time so far of this process, its servers and its worker; of ended children only if they were waited for."""
    own = psutil.Process()
    total = 0.0
    for process in (own, *own.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):  # a backend of a connection that was closed just now
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def _costs(scale: Scale) -> list[str]:
    """The statements of one job, measured on a separate server, since counting slows it down slightly."""
    jobs = max(50, scale.ledger_jobs // 3)
    with (
        running_laboratory(watch_statements=True) as laboratory,
        laboratory.worker("ours"),
        ordering(laboratory) as database,
        laboratory.connect() as connection,
    ):
        _our_seconds(laboratory, database, _WARM_UP)
        connection.execute("SELECT pg_stat_statements_reset()")
        _our_seconds(laboratory, database, jobs)
        statements = connection.execute(_STATEMENTS).fetchall()
    heading = (
        f"What one job costs in PostgreSQL (over {jobs} jobs): these statements. Only the order has BEGIN and COMMIT; "
    )
    notes = [heading + "every other one is a transaction by itself."]
    notes += [
        f"`{query.strip()}`: {calls / jobs:.2f} a job, {total / jobs:.3f} ms"
        for query, calls, total in statements
        if calls >= jobs / 2 or total / jobs >= 0.02
    ]
    return notes
