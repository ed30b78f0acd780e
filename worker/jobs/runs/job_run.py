"""A running job: progress, cancellation and the one commit that finishes it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from worker.database import Database
from worker.errors import AstegniError
from worker.jobs.runs.claim import Claim, new_token
from worker.jobs.runs.end_and_claim import end_and_claim, find_end_and_claim
from worker.jobs.runs.run_lease import LeaseTiming, RunLease
from worker.jobs.runs.run_statements import LeaseLost, end, lease_lost, lock
from worker.jobs.runs.wait_for_database import retry_while_database_down


def _no_job() -> None:
    return None


class JobCancelled(AstegniError):
    """Cancellation of the job was requested."""

    code, title, status = "cancelled", "Cancelled", 409


class JobRun:
    """Passed to a job's work: it reports progress, checks for cancellation, and finishes in its own commit.

    Its heartbeat (worker/jobs/runs/run_heartbeat.py) renews the `lease` meanwhile. No transaction is open between
    the calls.
    """

    def __init__(
        self,
        database: Database,
        claimed: Claim,
        timing: LeaseTiming,
        *,
        worker: str = "",
        next_job: Callable[[], UUID | None] | None = None,
    ) -> None:
        self.claim = claimed
        # Whether the job has a message to itself.
        self.alone = next_job is None
        self.finished = False
        # The next job of the same message, if it was claimed in the statement that ended this one.
        self.next_claim: Claim | None = None
        self._worker = worker
        self._next_job = next_job or _no_job
        self._database = database
        self._lease_seconds = timing.lease
        self.lease = RunLease(database, claimed, timing)

    @property
    def cancelled(self) -> bool:
        """Whether cancellation of the job was requested."""
        return self.lease.cancelled

    @property
    def lost(self) -> bool:
        """Whether this run knows that it no longer owns the job: its lease was taken over, or expired."""
        return self.lease.lost

    def progress(self, percent: float, note: str | None = None) -> None:
        """Report the progress of the work (0 to 100; never decreases) and the current step, in a few words."""
        self.lease.progress(percent, note)

    def should_stop(self) -> bool:
        """Whether to stop now: the job was cancelled, or this run no longer owns it. Cheap; call it often."""
        return self.cancelled or self.lost

    def check(self) -> None:
        """Raise JobCancelled or LeaseLost when the work should stop."""
        if self.lost:
            raise lease_lost(self.claim.job_id)
        if self.cancelled:
            raise JobCancelled("The job was cancelled before it was done.")

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A transaction in which a part of the work is stored before the job ends.

        Raises LeaseLost when the run no longer owns the job, which is locked until the commit.
        """
        with ExitStack() as transaction:
            yield retry_while_database_down(lambda: self._begin(transaction), seconds=self.lease.seconds_left)

    @contextmanager
    def finish(self, result: dict[str, Any] | None = None) -> Iterator[Session]:
        """The final transaction: the job's own rows and its success commit together, or neither does.

        Waits for an unavailable database, since the work is done and should not be repeated. Raises LeaseLost, and
        rolls back, when the run no longer owns the job.
        """
        with ExitStack() as transaction:
            session = retry_while_database_down(lambda: self._begin(transaction), seconds=self.lease.seconds_left)
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
        """End a job that has no rows of its own as succeeded, in one statement, with its result; the work must be done.

        The statement also claims the next job of the message. Raises LeaseLost.
        """
        next_id, token = self._next_job(), new_token()

        def write() -> Claim | None:
            with self._database.statement() as session:
                if next_id is None:
                    end(session, self.claim.job_id, self.claim.token, state="succeeded", result=result)
                    return None
                return end_and_claim(
                    session, self.claim, next_id, token, worker=self._worker, lease=self._lease_seconds, result=result
                )

        def write_again() -> Claim | None:
            try:
                return write()
            except LeaseLost:
                with self._database.statement() as session:
                    return find_end_and_claim(session, self.claim, next_id, token, lease=self._lease_seconds)

        self.next_claim = retry_while_database_down(write, seconds=self.lease.seconds_left, again=write_again)
        self.finished = True
