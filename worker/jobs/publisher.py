"""The publisher thread: sends a job id right after its commit, so that a request never waits for the broker."""

import contextlib
import queue
import threading
from collections.abc import Callable
from uuid import UUID

from worker.jobs.periodic_thread import failed_service
from worker.logs import get_logger

_log = get_logger(__name__)

_BATCH = 100
# After a failure the relay takes over; calling the broker again sooner would only block this thread.
_REST = 5.0
# Seconds for which orders accumulate when several came at once: they share a statement in PostgreSQL, and messages.
_GATHERING = 0.05


class Publisher:
    """A thread with a bounded queue of job ids.

    `offer` never blocks and never fails: when the queue is full, or the broker failed a moment ago, the id is dropped
    and the relay publishes the job within its interval. Start it after a fork; call `close` when the process ends.
    `publish_due` publishes waiting jobs that may now be sent.
    """

    def __init__(
        self,
        publish: Callable[[list[UUID]], object],
        *,
        publish_due: Callable[[], object],
        close: Callable[[], None],
        capacity: int = 1000,
    ) -> None:
        # How many offers were dropped, for the metrics.
        self.dropped = 0
        self._publish = publish
        self._publish_due = publish_due
        self._due = threading.Event()
        self._close = close
        self._offers: queue.Queue[UUID | None] = queue.Queue(capacity)
        self._stopping = threading.Event()
        self._resting = threading.Event()
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)

    def start(self) -> None:
        """Start publishing."""
        self._thread.start()

    def offer(self, job_id: UUID) -> None:
        """Publish this job soon, or leave it to the relay."""
        if self._resting.is_set():
            self.dropped += 1
            return
        try:
            self._offers.put_nowait(job_id)
        except queue.Full:
            self.dropped += 1
            _log.warning("publisher_full", job_id=str(job_id))

    def offer_due(self) -> None:
        """Publish the jobs that waited for a place in a lane, now that one is free, or leave them to the relay."""
        if self._resting.is_set():
            return
        self._due.set()
        with contextlib.suppress(queue.Full):  # full: the thread is busy and will check the flag
            self._offers.put_nowait(None)

    def stop(self, timeout: float = 5.0) -> None:
        """Stop after the current batch; the relay publishes the rest."""
        self._stopping.set()
        with contextlib.suppress(queue.Full):  # full: the thread is busy and will check the flag
            self._offers.put_nowait(None)
        self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopping.is_set():
            batch = self._next_batch()
            try:
                if batch:
                    self._publish(batch)
                if self._due.is_set():
                    self._due.clear()
                    self._publish_due()
            except Exception as error:  # noqa: BLE001 - whatever failed, the relay takes over; the thread must survive
                _log.warning(
                    "publisher_failed", jobs=len(batch), service=failed_service(error), error=type(error).__name__
                )
                self.dropped += len(batch)
                self._rest()
            else:
                if len(batch) > 1:
                    self._stopping.wait(_GATHERING)
        self._close()

    def _next_batch(self) -> list[UUID]:
        first = self._offers.get()
        batch = [first]
        while len(batch) < _BATCH:
            try:
                batch.append(self._offers.get_nowait())
            except queue.Empty:
                break
        return [job_id for job_id in batch if job_id is not None]

    def _rest(self) -> None:
        self._resting.set()
        self._stopping.wait(_REST)
        while not self._offers.empty():
            self.dropped += self._offers.get_nowait() is not None
        self._resting.clear()
