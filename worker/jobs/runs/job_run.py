"""A running job: progress, cancellation and the one commit that finishes it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from worker.database import Database
from worker.errors import AstegniError
from worker.jobs.runs.claim import Claim
from worker.jobs.runs.end_and_claim import end_and_claim
from worker.jobs.runs.run_statements import LeaseLost, end, lease_lost, lock, pulse
from worker.jobs.runs.wait_for_database import retry_while_database_down
from worker.logs import get_logger

_log = get_logger(__name__)

_LAST_PULSE = 10.0


def _no_job() -> None:
    return None


class JobCancelled(AstegniError):
    """Cancellation of the job was requested."""

    code, title, status = "cancelled", "Cancelled", 409


@dataclass(frozen=True)
class LeaseTiming:
    """In seconds: how long a run's lease lasts, how often it is renewed, and how often progress is checked."""

    lease: float
    renewal: float
    pulse: float


class JobRun:
    """Passed to a job's work: it reports progress, checks for cancellation, and finishes in its own commit.

    Its heartbeat (worker/jobs/runs/run_heartbeat.py) renews the lease meanwhile. No transaction is open between
    the calls.
    """

    def __init__(
        self,
        database: Database,
        claimed: Claim,
        rhythm: LeaseTiming,
        *,
        worker: str = "",
        next_job: Callable[[], UUID | None] | None = None,
    ) -> None:
        self.claim = claimed
        # Whether the job has a message of its own.
        self.alone = next_job is None
        self.finished = False
        # The next job of the same message, when it was claimed together with this one's end.
        self.next_claim: Claim | None = None
        self._worker = worker
        self._next_job = next_job or _no_job
        self._database = database
        self._rhythm = rhythm
        self._progress = 0
        self._note: str | None = None
        self._cancelled = threading.Event()
        self._lost = threading.Event()
        # The heartbeat is sent by another thread.
        self._pulsing = threading.Lock()
        self._written: tuple[int, str | None] = (0, None)
        self._renewed = time.monotonic()
        self._ended = False

    @property
    def cancelled(self) -> bool:
        """Whether cancellation of the job was requested."""
        return self._cancelled.is_set()

    @property
    def lost(self) -> bool:
        """Whether this run knows that it no longer owns the job: its lease was taken over, or expired."""
        return self._lost.is_set()

    @property
    def lease_left(self) -> float:
        """The minimum number of seconds until the reaper may take the job back."""
        return self._rhythm.lease - (time.monotonic() - self._renewed)

    def progress(self, percent: float, note: str | None = None) -> None:
        """Report the progress of the work (0 to 100; never decreases) and the current step, in a few words."""
        self._progress = max(self._progress, min(100, int(percent)))
        self._note = note or self._note

    def should_stop(self) -> bool:
        """Whether to stop now: cancelled, or the job is no longer this run's. Cheap; call it often."""
        return self._cancelled.is_set() or self._lost.is_set()

    def check(self) -> None:
        """Raise JobCancelled or LeaseLost when the work should stop."""
        if self._lost.is_set():
            raise lease_lost(self.claim.job_id)
        if self._cancelled.is_set():
            raise JobCancelled("The job was cancelled before it was done.")

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A transaction in which a part of the work is stored before the job ends.

        Raises LeaseLost when the run no longer owns the job, which is locked until the commit.
        """
        with ExitStack() as transaction:
            yield retry_while_database_down(lambda: self._begin(transaction), seconds=self.lease_left)

    @contextmanager
    def finish(self, result: dict[str, Any] | None = None) -> Iterator[Session]:
        """The last transaction: the job's own rows and its success commit together, or neither does.

        Waits for an unavailable database, since the work is done and should not be repeated. Raises LeaseLost, and
        rolls back, when the run no longer owns the job.
        """
        with ExitStack() as transaction:
            session = retry_while_database_down(lambda: self._begin(transaction), seconds=self.lease_left)
            yield session
            end(session, self.claim.job_id, self.claim.token, state="succeeded", result=result)
        self.finished = True

    def _begin(self, transaction: ExitStack) -> Session:
        with ExitStack() as beginning:
            session = beginning.enter_context(self._database.transaction())
            lock(session, self.claim)
            transaction.push(beginning.pop_all())
        return session

    def succeed(self, result: dict[str, Any] | None = None) -> None:
        """Finish a job that has no rows of its own, in one statement, with its result; its work must be done.

        The statement also claims the next job of the message. Raises LeaseLost.
        """
        next_id = self._next_job()

        def write() -> Claim | None:
            with self._database.statement() as session:
                if next_id is None:
                    end(session, self.claim.job_id, self.claim.token, state="succeeded", result=result)
                    return None
                return end_and_claim(
                    session, self.claim, next_id, worker=self._worker, lease=self._rhythm.lease, result=result
                )

        self.next_claim = retry_while_database_down(write, seconds=self.lease_left)
        self.finished = True

    def pulse(self) -> None:
        """Renew the lease when due, write new progress, check for cancellation. Never fails."""
        with self._pulsing:
            state = (self._progress, self._note)
            due = time.monotonic() - self._renewed >= self._rhythm.renewal
            if self._ended or self.lost or (state == self._written and not due):
                return
            try:
                self._pulse_once(*state)
            except LeaseLost:
                self._lost.set()
            except Exception as error:  # noqa: BLE001 - the database may be briefly unavailable; the lease decides
                _log.warning("pulse_failed", job_id=str(self.claim.job_id), error=type(error).__name__)
                if self.lease_left < 0:
                    self._lost.set()
            else:
                self._written, self._renewed = state, time.monotonic()

    def end_pulse(self) -> None:
        """Send no further heartbeat; wait for the current one, but for a limited time if the database hangs."""
        waited = self._pulsing.acquire(timeout=_LAST_PULSE)
        self._ended = True
        if waited:
            self._pulsing.release()

    def _pulse_once(self, percent: int, note: str | None) -> None:
        with self._database.statement() as session:
            cancel_requested = pulse(session, self.claim, lease=self._rhythm.lease, progress=percent, note=note)
        if cancel_requested:
            self._cancelled.set()
