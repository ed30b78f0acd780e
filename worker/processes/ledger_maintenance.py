"""What a worker's main process does besides supervising its children: relay and reaper, independent of beat."""

from collections.abc import Callable, Iterator
from typing import Any

from celery import bootsteps

from worker.database import Database
from worker.jobs.heartbeats import HeartbeatWriter, remove_consumer
from worker.jobs.periodic_thread import PeriodicThread
from worker.jobs.publish import publish
from worker.jobs.reaper import reap
from worker.logs import get_logger
from worker.processes.broker import publication_lease, sender
from worker.processes.liveness import seconds_since_sign
from worker.workflows.failure_hooks import ENDINGS

_log = get_logger(__name__)

_BATCH = 100
# Celery's event loop calls `show_alive` every 2 s while it runs and its broker responds.
_SIGN_AGE = 10.0


class LedgerMaintenance(bootsteps.StartStopStep):  # type: ignore[misc]  # celery publishes no types
    """Publishes due jobs, takes back expired leases and writes the consumer's heartbeat, in threads of its own.

    It has its own database and starts after the pool has forked. Any number of workers may do this at once: SKIP LOCKED
    shares the rows out.
    """

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        self._loops: list[PeriodicThread] = []
        self._database: Database | None = None

    def start(self, parent: Any) -> None:
        """Start the loops."""
        self._database = Database(parent.app.settings.sqlalchemy_url, pool_size=2, max_overflow=0)
        self._loops = [*_ledger_loops(self._database, parent.app), _consumer_loop(self._database, parent.app)]
        for loop in self._loops:
            loop.start()

    def stop(self, parent: Any) -> None:
        """Stop the loops; other workers carry on."""
        for loop in self._loops:
            loop.stop()
        self._loops = []
        if self._database is not None:
            self._leave(self._database, parent.app.process_name)
            self._database.close()
            self._database = None

    terminate = stop

    def _leave(self, database: Database, process: str) -> None:
        try:
            with database.statement() as statement:
                remove_consumer(statement, process)
        except Exception as error:  # noqa: BLE001 - the heartbeat expires by itself
            _log.info("consumer_not_removed", error=type(error).__name__)


def _ledger_loops(database: Database, app: Any) -> Iterator[PeriodicThread]:
    """Relay and reaper; each runs again at once after a full batch."""
    settings = app.settings
    send, lease = sender(app), publication_lease(settings)
    steps: tuple[tuple[str, Callable[[], bool], float], ...] = (
        ("relay", lambda: publish(database, send, lease, most=_BATCH) == _BATCH, settings.relay_interval),
        ("reaper", lambda: reap(database, ENDINGS, most=_BATCH) == _BATCH, settings.reaper_interval),
    )
    for name, step, interval in steps:
        writer = HeartbeatWriter(database, app.process_name, name, interval=settings.heartbeat_interval)
        yield PeriodicThread(name, step, interval=interval, beat=writer.beat)


def _consumer_loop(database: Database, app: Any) -> PeriodicThread:
    """Writes the consumer's heartbeat while Celery's event loop runs."""
    interval = app.settings.heartbeat_interval
    writer = HeartbeatWriter(
        database,
        app.process_name,
        "consumer",
        interval=interval,
        queues=tuple(app.amqp.queues.consume_from),
        children=app.settings.worker_concurrency,
    )

    def step() -> bool:
        age = seconds_since_sign()
        if age is not None and age < _SIGN_AGE:
            writer.beat()
        return False

    return PeriodicThread("consumer", step, interval=min(1.0, interval))
