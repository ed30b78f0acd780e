"""Beat's scheduler: the static timetable in memory, whose entries are inserted directly into the ledger."""

from functools import cached_property
from typing import Any

from celery.beat import ScheduleEntry, Scheduler

from worker.database import DATABASE_ERRORS, Database
from worker.jobs.enqueue import enqueue
from worker.jobs.heartbeats import HeartbeatWriter
from worker.jobs.orders.registered import read_order
from worker.jobs.runs.wait_for_database import retry_while_database_down
from worker.logs import get_logger
from worker.metrics.recorder import record_routine_order
from worker.processes.liveness import report_liveness
from worker.workflows.uploads.spools import orders_of_tick

_log = get_logger(__name__)

# Seconds to wait while the database restarts; after a longer outage the next tick orders the job.
_TIMEOUT = 20.0


class Timetable(Scheduler):  # type: ignore[misc]  # celery publishes no types
    """Celery's own in-memory scheduler, which writes to the ledger instead of the broker.

    A tick inserts its order unless a job with the same unique key is live, so two beats are harmless, and no state has
    to survive a restart. No message carries a tick: it would need an expiry, which depends on two clocks. When those of
    beat and a worker differed by 45 s, all ticks expired unread, and nothing showed it.
    """

    # Celery would connect to the broker here, and wait for it.
    producer = None

    def tick(self, *args: object, **kwargs: object) -> float:
        """Order what is due, then write this beat's heartbeat."""
        self._follow_clock()
        seconds: float = super().tick(*args, **kwargs)
        report_liveness()
        try:
            self._heartbeat.beat()
        except DATABASE_ERRORS as error:  # the metric shows that the database is unavailable; beat continues
            _log.warning("heartbeat_failed", error=type(error).__name__)
        return seconds

    def apply_async(self, entry: ScheduleEntry, producer: Any = None, advance: bool = True, **kwargs: Any) -> None:  # noqa: ARG002 - Celery's signature
        """Insert the entry's order, unless a job with the same unique key is live. Celery logs exceptions."""
        order = read_order(entry.task, entry.args[0])

        def write() -> None:
            with self._database.transaction() as session:
                for each in orders_of_tick(session, order):
                    enqueue(session, each, principal="beat")

        retry_while_database_down(write, seconds=_TIMEOUT)
        record_routine_order(order.kind)

    def close(self) -> None:
        """Close the connection."""
        super().close()
        self._database.close()

    @cached_property
    def _database(self) -> Database:
        return Database(self.app.settings.sqlalchemy_url, pool_size=1, max_overflow=0)

    @cached_property
    def _heartbeat(self) -> HeartbeatWriter:
        settings = self.app.settings
        return HeartbeatWriter(self._database, self.app.process_name, "beat", interval=settings.heartbeat_interval)

    def _follow_clock(self) -> None:
        """Make due an entry that ran "in the future": after the clock was set back, it would wait until then."""
        for entry in self.schedule.values():
            if entry.last_run_at > entry.default_now():
                entry.last_run_at = entry.default_now()
                self._heap = None
