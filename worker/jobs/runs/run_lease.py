"""The lease of a run: renewed by its heartbeat, which also writes progress and reads cancel requests."""

import threading
import time
from dataclasses import dataclass

from worker.database import Database
from worker.jobs.runs.claim import Claim
from worker.jobs.runs.run_statements import LeaseLost, heartbeat
from worker.logs import get_logger

_log = get_logger(__name__)

_LAST_HEARTBEAT = 10.0


@dataclass(frozen=True)
class LeaseTiming:
    """In seconds: how long a run's lease lasts, how often it is renewed, and how often a heartbeat is sent."""

    lease: float
    renewal: float
    heartbeat: float


class RunLease:
    """The state that a run shares with its heartbeat (worker/jobs/runs/run_heartbeat.py), which is another thread."""

    def __init__(self, database: Database, claimed: Claim, timing: LeaseTiming) -> None:
        self._database = database
        self._claim = claimed
        self._timing = timing
        self._progress = 0
        self._note: str | None = None
        self._cancelled = threading.Event()
        self._lost = threading.Event()
        self._sending = threading.Lock()
        self._written: tuple[int, str | None] = (0, None)
        self._renewed = time.monotonic()
        self._ended = False

    @property
    def cancelled(self) -> bool:
        """Whether cancellation of the job was requested."""
        return self._cancelled.is_set()

    @property
    def lost(self) -> bool:
        """Whether the run is known to have lost the job: its lease was taken over or has expired."""
        return self._lost.is_set()

    @property
    def seconds_left(self) -> float:
        """A lower bound of the seconds until the reaper may take the job back."""
        return self._timing.lease - (time.monotonic() - self._renewed)

    def progress(self, percent: float, note: str | None = None) -> None:
        """Set what the next heartbeat writes: a percentage (0 to 100, never decreasing), and the current step."""
        self._progress = max(self._progress, min(100, int(percent)))
        self._note = note or self._note

    def heartbeat(self) -> None:
        """Renew the lease when due, write new progress, check for cancellation. Never fails."""
        with self._sending:
            state = (self._progress, self._note)
            due = time.monotonic() - self._renewed >= self._timing.renewal
            if self._ended or self.lost or (state == self._written and not due):
                return
            try:
                self._send_heartbeat(*state)
            except LeaseLost:
                self._lost.set()
            except Exception as error:  # noqa: BLE001 - the database may be briefly unavailable; the lease decides
                _log.warning("pulse_failed", job_id=str(self._claim.job_id), error=type(error).__name__)
                if self.seconds_left < 0:
                    self._lost.set()
            else:
                self._written, self._renewed = state, time.monotonic()

    def end_heartbeat(self) -> None:
        """Send no further heartbeat; wait for the current one, but not for long if the database hangs."""
        waited = self._sending.acquire(timeout=_LAST_HEARTBEAT)
        self._ended = True
        if waited:
            self._sending.release()

    def _send_heartbeat(self, percent: int, note: str | None) -> None:
        with self._database.statement() as session:
            cancel_requested = heartbeat(session, self._claim, lease=self._timing.lease, progress=percent, note=note)
        if cancel_requested:
            self._cancelled.set()
