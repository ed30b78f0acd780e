"""The ledger's single steps (enqueue, claim, finish), sequentially on one connection, and how soon a job starts."""

import time
from collections.abc import Callable
from typing import Any

import psycopg

from benchmarks.harness.figure import Figure, Limit, Reading, median, percentile
from benchmarks.harness.scale import Scale
from benchmarks.ledger import order_noop, ordering
from benchmarks.material.bare_stack import BareStack, running_bare_stack
from benchmarks.peers.noop_order import Noop
from worker.database import Database
from worker.jobs.enqueue import enqueue
from worker.jobs.runs.claim import Claim, claim
from worker.jobs.runs.job_run import JobRun
from worker.jobs.runs.run_lease import LeaseTiming

_BATCH = 100
_PAUSE = 0.05
_TIMING = LeaseTiming(lease=30.0, renewal=10.0, heartbeat=2.0)
_ALL_IDS = "SELECT id FROM jobs WHERE state = 'queued' ORDER BY created_at"
_WAITS = "SELECT extract(epoch FROM started_at - created_at)::float * 1000 FROM jobs WHERE started_at IS NOT NULL"


def measure_rates(scale: Scale) -> Figure:
    """Measure each step beside the smallest durable transaction on the same server."""
    figure = Figure("Ledger: its steps alone, one connection, one commit each")
    with running_bare_stack() as bare_stack:
        database = Database(bare_stack.settings.sqlalchemy_url, pool_size=1)
        try:
            _measure_steps(figure, bare_stack, database, scale.rate_jobs)
        finally:
            database.close()
    return figure


def _measure_steps(figure: Figure, bare_stack: BareStack, database: Database, jobs: int) -> None:
    with bare_stack.connect() as connection:
        bare = _bare_commits(connection, jobs)
        enqueued = _rate(jobs, lambda number: order_noop(database, number))
        ids = [row[0] for row in connection.execute(_ALL_IDS)]
    claims: list[Claim] = []

    def take(number: int) -> None:
        with database.statement() as session:
            claimed = claim(session, ids[number], worker="figures", lease=600.0)
        assert claimed is not None
        claims.append(claimed)

    def finish(number: int) -> None:
        with JobRun(database, claims[number], _TIMING).finish():
            pass

    def order_batch(batch: int) -> None:
        with database.transaction() as session:
            for number in range(_BATCH):
                enqueue(session, Noop(batch * _BATCH + number))

    name = "bare psycopg: INSERT of one row and commit"
    for what, rate in (
        ("order", enqueued),
        ("claim", _rate(jobs, take)),
        ("finish", _rate(jobs, finish)),
        (f"order, {_BATCH} in a transaction", _rate(max(1, jobs // 50), order_batch) * _BATCH),
    ):
        figure.readings.append(Reading(what, rate, "/s", None, bare, name))


def _rate(times: int, step: Callable[[int], Any]) -> float:
    began = time.perf_counter()
    for number in range(times):
        step(number)
    return times / (time.perf_counter() - began)


def _bare_commits(connection: psycopg.Connection[Any], times: int) -> float:
    connection.execute("CREATE TABLE figures_bare (id integer, at timestamptz DEFAULT now())")
    rate = _rate(times, lambda number: connection.execute("INSERT INTO figures_bare (id) VALUES (%s)", [number]))
    connection.execute("DROP TABLE figures_bare")
    return rate


def measure_latency(scale: Scale) -> Figure:
    """Measure the time from enqueuing to the start of a job, on an otherwise idle stack."""
    figure = Figure("Ledger: from the order to the start of the job, otherwise idle")
    with running_bare_stack() as bare_stack, bare_stack.worker("ours"):
        with ordering(bare_stack) as database:
            _order_slowly(bare_stack, database, 10)
            direct = _order_slowly(bare_stack, database, scale.latency_jobs)
        # Not published at commit, as when the API dies right after the commit.
        silent = Database(bare_stack.settings.sqlalchemy_url, pool_size=1)
        try:
            relayed = _order_slowly(bare_stack, silent, scale.relay_jobs, pause=0.31)
        finally:
            silent.close()
    figure.readings += [
        Reading(f"published at once, median of {len(direct)}", median(direct), "ms", limit=Limit("value", "<", 150)),
        Reading("published at once, p99", percentile(direct, 99), "ms", limit=Limit("value", "<", 2500)),
        Reading(f"left to the relay, median of {len(relayed)}", median(relayed), "ms"),
        Reading("left to the relay, p99", percentile(relayed, 99), "ms", limit=Limit("value", "<", 2500)),
    ]
    figure.notes.append(
        "Taken from the rows: `started_at` minus `created_at`. The latter is the beginning of the ordering "
        "transaction, so the time includes its statement and commit."
    )
    return figure


def _order_slowly(bare_stack: BareStack, database: Database, jobs: int, *, pause: float = _PAUSE) -> list[float]:
    """Milliseconds from enqueuing to the start of each job."""
    with bare_stack.connect() as connection:
        connection.execute("DELETE FROM jobs")
        for number in range(jobs):
            order_noop(database, number)
            time.sleep(pause)
        deadline = time.monotonic() + 60
        while len(waits := [row[0] for row in connection.execute(_WAITS)]) < jobs and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.2)
    return waits
