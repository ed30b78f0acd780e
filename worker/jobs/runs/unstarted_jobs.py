"""The jobs of a message that its child has not started yet."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from uuid import UUID

from worker.database import DATABASE_ERRORS
from worker.jobs.job_message import MESSAGE_SECONDS
from worker.logs import get_logger

_log = get_logger(__name__)


class UnstartedJobs:
    """Jobs that wait, in the same child, for the one before them.

    The heartbeat gives them back once the child has worked on the message for `seconds`, or its worker is `stopping`,
    so that none of them waits behind a long job.
    """

    def __init__(
        self,
        job_ids: Sequence[UUID],
        *,
        give_back: Callable[[list[UUID]], None],
        stopping: Callable[[], bool],
        seconds: float = MESSAGE_SECONDS,
    ) -> None:
        self._job_ids = list(job_ids)
        self._give_back = give_back
        self._stopping = stopping
        self._until = time.monotonic() + seconds
        # The heartbeat is another thread.
        self._lock = threading.Lock()

    def peek(self) -> UUID | None:
        """The job to start next; None when there is none, or no further one should start."""
        with self._lock:
            return self._job_ids[0] if self._job_ids and not self._is_over() else None

    def remove(self, job_id: UUID) -> None:
        """Forget a job that was claimed or cannot be."""
        with self._lock, suppress(ValueError):  # given back just now; the ledger allows only one run
            self._job_ids.remove(job_id)

    def heartbeat(self) -> None:
        """Give the jobs back when no further one should begin."""
        if self._is_over():
            self.end_heartbeat()

    def end_heartbeat(self) -> None:
        """Give back the remaining jobs. Never fails: otherwise their publication lease expires."""
        with self._lock:
            left, self._job_ids = self._job_ids, []
        if not left:
            return
        try:
            self._give_back(left)
            _log.info("jobs_given_back", number=len(left))
        except DATABASE_ERRORS as error:
            _log.warning("jobs_not_given_back", number=len(left), error=type(error).__name__)

    def _is_over(self) -> bool:
        return self._stopping() or time.monotonic() > self._until
