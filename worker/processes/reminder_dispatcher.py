"""In the main process of a worker that sends messages: dispatch them to its children as they become due."""

import threading
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from celery import Celery, bootsteps

from worker.database import Database
from worker.jobs.heartbeats import HeartbeatWriter
from worker.jobs.periodic_thread import PeriodicThread
from worker.processes.broker import queue
from worker.reminders.delivery.dispatcher import Dispatcher, HandOver

QUEUE = "reminders"
# The task that sends one batch (tasks/reminders.py).
SEND = "reminders.send"


class DispatchReminders(bootsteps.StartStopStep):  # type: ignore[misc]  # celery publishes no types
    """Claims due messages in a thread with its own database connection, and passes batches of ids to children.

    Only in workers that consume the queue. It starts after the pool has forked. Any number of workers may do this at
    once: SKIP LOCKED shares the rows out.
    """

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        self._stopping = threading.Event()
        self._loop: PeriodicThread | None = None
        self._database: Database | None = None

    def include_if(self, parent: Any) -> bool:
        """Whether this worker consumes the queue."""
        return QUEUE in parent.app.amqp.queues.consume_from

    def start(self, parent: Any) -> None:
        """Start the loop."""
        settings = parent.app.settings
        self._database = Database(settings.sqlalchemy_url, pool_size=1, max_overflow=0)
        dispatcher = Dispatcher(
            self._database,
            _hand_over(parent.app),
            children=settings.worker_concurrency,
            interval=settings.dispatch_interval,
            lease=settings.delivery_lease,
        )

        def dispatch() -> bool:
            # It returns how long to wait until the next message is due; then it runs again immediately.
            self._stopping.wait(dispatcher.dispatch())
            return True

        self._stopping.clear()
        beat = HeartbeatWriter(
            self._database, parent.app.process_name, "dispatcher", interval=settings.heartbeat_interval
        ).beat
        self._loop = PeriodicThread("dispatcher", dispatch, interval=settings.dispatch_interval, beat=beat)
        self._loop.start()

    def stop(self, parent: Any) -> None:  # noqa: ARG002 - Celery's signature
        """Stop the loop; batches already passed on are still sent, or claimed again when their lease expires."""
        self._stopping.set()
        if self._loop is not None:
            self._loop.stop()
            self._loop = None
        if self._database is not None:
            self._database.close()
            self._database = None

    terminate = stop


def _hand_over(app: Celery) -> HandOver:
    def hand_over(lane: str, ids: Sequence[int], token: UUID) -> None:  # noqa: ARG001 - all lanes share the queue
        app.send_task(SEND, args=(list(ids), str(token)), queue=queue(QUEUE))

    return hand_over
