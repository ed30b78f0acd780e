"""Dispatch messages to a worker's children as they become due, from the main process of workers that send messages."""

import threading
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from celery import Celery

from worker.database import Database
from worker.jobs.heartbeats import HeartbeatWriter
from worker.jobs.periodic_thread import PeriodicThread
from worker.processes.broker import queue
from worker.processes.loop_step import LoopStep
from worker.reminders.delivery.dispatcher import Dispatcher, HandOver

QUEUE = "reminders"
# The task that sends one batch (tasks/reminders.py).
SEND = "reminders.send"


class DispatchReminders(LoopStep):
    """Claims due messages and passes batches of ids to children; only in workers that consume the queue.

    Any number of workers may do this at once: SKIP LOCKED divides the rows among them.
    """

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        self._stopping = threading.Event()

    def include_if(self, parent: Any) -> bool:
        """Whether this worker consumes the queue."""
        return QUEUE in parent.app.amqp.queues.consume_from

    def loops(self, app: Any, database: Database) -> Iterator[PeriodicThread]:
        """The loop that dispatches."""
        settings = app.settings
        dispatcher = Dispatcher(
            database,
            _hand_over(app),
            children=settings.worker_concurrency,
            interval=settings.dispatch_interval,
            lease=settings.delivery_lease,
        )

        def dispatch() -> bool:
            # It returns the seconds until the next message is due; after waiting for that it runs again at once.
            self._stopping.wait(dispatcher.dispatch())
            return True

        self._stopping.clear()
        writer = HeartbeatWriter(database, app.process_name, "dispatcher", interval=settings.heartbeat_interval)
        yield PeriodicThread("dispatcher", dispatch, interval=settings.dispatch_interval, beat=writer.beat)

    def stop(self, parent: Any) -> None:
        """Stop the loop; batches already passed on are still sent, or claimed again when their lease expires."""
        self._stopping.set()
        super().stop(parent)


def _hand_over(app: Celery) -> HandOver:
    def hand_over(lane: str, ids: Sequence[int], token: UUID) -> None:  # noqa: ARG001 - all lanes share the queue
        app.send_task(SEND, args=(list(ids), str(token)), queue=queue(QUEUE))

    return hand_over
