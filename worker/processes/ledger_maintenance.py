"""What a worker's main process does besides supervising its children: relay and reaper, independent of beat."""

from collections.abc import Callable, Iterator
from typing import Any

from worker.database import DATABASE_ERRORS, Database
from worker.jobs.heartbeats import HeartbeatWriter, remove_consumer
from worker.jobs.periodic_thread import PeriodicThread
from worker.jobs.publish import publish
from worker.jobs.reaper import reap
from worker.logs import get_logger
from worker.processes.broker import publication_lease, sender
from worker.processes.liveness import seconds_since_report
from worker.processes.loop_step import LoopStep
from worker.workflows.recordings.failure_hooks import FAILURE_HOOKS

_log = get_logger(__name__)

_BATCH = 100
# Celery's event loop calls `report_liveness` every 2 s while it runs and its broker responds.
_SIGN_AGE = 10.0


class LedgerMaintenance(LoopStep):
    """Publishes due jobs, takes back expired leases and writes the consumer's heartbeat.

    Any number of workers may do this at once: SKIP LOCKED divides the rows among them.
    """

    connections = 2

    def loops(self, app: Any, database: Database) -> Iterator[PeriodicThread]:
        """Relay, reaper and the consumer's heartbeat."""
        yield from _ledger_loops(database, app)
        yield _consumer_loop(database, app)

    def before_close(self, app: Any, database: Database) -> None:
        """Remove the consumer's heartbeat, which would expire by itself."""
        try:
            with database.statement() as statement:
                remove_consumer(statement, app.process_name)
        except DATABASE_ERRORS as error:
            _log.info("consumer_not_removed", error=type(error).__name__)


def _ledger_loops(database: Database, app: Any) -> Iterator[PeriodicThread]:
    """Relay and reaper; each runs again at once after a full batch."""
    settings = app.settings
    send, lease = sender(app), publication_lease(settings)
    steps: tuple[tuple[str, Callable[[], bool], float], ...] = (
        ("relay", lambda: publish(database, send, lease, most=_BATCH) == _BATCH, settings.relay_interval),
        ("reaper", lambda: reap(database, FAILURE_HOOKS, most=_BATCH) == _BATCH, settings.reaper_interval),
    )
    for name, step, interval in steps:
        writer = HeartbeatWriter(database, app.process_name, name, interval=settings.heartbeat_interval)
        yield PeriodicThread(name, step, interval=interval, beat=writer.beat)


def _consumer_loop(database: Database, app: Any) -> PeriodicThread:
    """The loop that writes the consumer's heartbeat while Celery's event loop runs."""
    interval = app.settings.heartbeat_interval
    writer = HeartbeatWriter(
        database,
        app.process_name,
        "consumer",
        interval=interval,
        children=app.settings.worker_concurrency,
    )

    def step() -> bool:
        age = seconds_since_report()
        if age is not None and age < _SIGN_AGE:
            # May have changed: `astegni drain` cancels consumers.
            writer.queues = tuple(app.amqp.queues.consume_from)
            writer.beat()
        return False

    return PeriodicThread("consumer", step, interval=min(1.0, interval))
