"""Heartbeats: each part of a process writes to the database when it last completed its work.

All processes reach the database, and its clock decides, so operators' metrics are read from there. A part that hangs,
dies or cannot reach what it needs stops writing.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import text

from worker.database import Database, Executor

# A consumer that wrote within this many intervals is live: one write may be late.
MISSED = 3
# The condition for a live row of `heartbeats`; `:alive` is in seconds. A row later than that was written before the
# database's clock was set back, and its process may have ended: a live one replaces it within an interval.
ALIVE = "seen_at BETWEEN now() - make_interval(secs => :alive) AND now() + make_interval(secs => :alive)"

_WRITE = text(
    """
    INSERT INTO heartbeats AS h (process, part, queue, children, clock_ahead, seen_at)
    VALUES (:process, :part, :queue, :children, :clock - extract(epoch FROM clock_timestamp()), now())
    ON CONFLICT (process, part, queue) DO UPDATE
       SET children = excluded.children, clock_ahead = excluded.clock_ahead, seen_at = excluded.seen_at
    """
)
_LEAVE = text("DELETE FROM heartbeats WHERE process = :process AND part = 'consumer'")
_PRUNE = text("DELETE FROM heartbeats WHERE seen_at NOT BETWEEN now() - interval '1 day' AND now() + interval '1 day'")
# abs(): a row that is an hour ahead says as little as one that is an hour old.
_LAST_RUNS = text(
    "SELECT part, min(abs(extract(epoch FROM now() - seen_at)))::float AS age FROM heartbeats GROUP BY part"
)
_CONSUMERS = text(
    f"""
    SELECT queue, count(*) FILTER (WHERE {ALIVE}) AS living FROM heartbeats WHERE part = 'consumer' GROUP BY queue
    """  # noqa: S608 - a constant of ours
)
_OWN_CLOCK = text("SELECT abs(:clock - extract(epoch FROM clock_timestamp()))::float AS offset")
_CLOCKS = text(
    f"""
    SELECT part, max(abs(clock_ahead))::float AS offset FROM heartbeats WHERE {ALIVE} GROUP BY part
    """  # noqa: S608 - a constant of ours
)


@dataclass(frozen=True)
class ProcessMetrics:
    """`last_runs`: seconds since each part last ran; `consumers`: live workers by queue; `clocks`: the largest
    difference between a live part's clock and the database's, in seconds.
    """

    last_runs: dict[str, float]
    consumers: dict[str, int]
    clocks: dict[str, float]


class HeartbeatWriter:
    """Writes the heartbeat of one part of this process, at most once per `interval` seconds. Not thread-safe."""

    def __init__(
        self,
        database: Database,
        process: str,
        part: str,
        *,
        interval: float,
        queues: tuple[str, ...] = ("",),
        children: int = 0,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._values = {"process": process, "part": part, "children": children}
        self._interval = interval
        # Mutable: a consumer that is asked to leave a queue has fewer.
        self.queues = queues
        self._now = now
        self._written = float("-inf")

    def beat(self) -> None:
        """Record that the part has just completed its work. Database errors propagate."""
        if time.monotonic() - self._written < self._interval:
            return
        with self._database.statement() as statement:
            for queue in self.queues:
                statement.execute(_WRITE, {**self._values, "queue": queue, "clock": self._now()})
        self._written = time.monotonic()


def remove_consumer(executor: Executor, process: str) -> None:
    """Remove the consumer's heartbeat at an orderly shutdown."""
    executor.execute(_LEAVE, {"process": process})


def prune_heartbeats(executor: Executor) -> None:
    """Delete the heartbeats of processes that ended long ago."""
    executor.execute(_PRUNE, {})


def read_process_metrics(executor: Executor, *, interval: float, reader: str | None = None) -> ProcessMetrics:
    """The current metrics; `interval` is the heartbeat interval in seconds.

    `reader` is the part that this process is, if it writes no heartbeat: its clock is compared as well.
    """
    alive = {"alive": interval * MISSED}
    clocks = {row.part: row.offset for row in executor.execute(_CLOCKS, alive)}
    if reader is not None:
        clocks[reader] = executor.execute(_OWN_CLOCK, {"clock": time.time()}).fetchall()[0].offset
    return ProcessMetrics(
        {row.part: row.age for row in executor.execute(_LAST_RUNS, {})},
        {row.queue: row.living for row in executor.execute(_CONSUMERS, alive)},
        clocks,
    )
