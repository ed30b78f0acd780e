"""Send the worker's events for Flower in batches: each job causes three of them."""

from typing import Any

from celery import bootsteps
from celery.worker.consumer.events import Events

# Seconds for which an event waits for others; 24 of them (celery's limit) are sent at once. Flower draws once a second.
_GATHERING = 0.2


class GatherEvents(bootsteps.StartStopStep):  # type: ignore[misc]  # celery publishes no types
    """Delays events of jobs briefly so that they are sent in batches.

    Celery sends the queued events at each turn of its event loop. While its queue is short that means one by one, which
    took more than a third of the main process's time. Each event carries its own timestamp, so nothing else changes.
    """

    requires = (Events,)

    def start(self, parent: Any) -> None:
        """Install the batching again after every reconnection, which replaces Celery's timer and dispatcher."""
        dispatcher = parent.event_dispatcher
        waiting = False

        def send() -> None:
            nonlocal waiting
            waiting = False
            dispatcher.flush()

        def send_soon() -> None:
            nonlocal waiting
            if not waiting:
                waiting = True
                parent.timer.call_after(_GATHERING, send)

        dispatcher.on_send_buffered = send_soon

    def stop(self, parent: Any) -> None:
        """Send the accumulated events now: the event loop has stopped."""
        if parent.event_dispatcher is not None:
            parent.event_dispatcher.flush()
