"""The heartbeat of a process: one thread that renews the leases of its runs."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

# After this many intervals without a run the thread ends, and the next run starts another.
_IDLE_BEATS = 15


class HeartbeatSubject(Protocol):
    """What heartbeats are sent for: a run, or the jobs that wait behind it (worker/jobs/runs/unstarted_jobs.py)."""

    def heartbeat(self) -> None:
        """Send one heartbeat; called at each interval. Must not fail."""

    def end_heartbeat(self) -> None:
        """Stop; called after the last `heartbeat`, which may not have returned yet."""


class RunHeartbeat:
    """Every `interval` seconds writes each run's progress, renews its lease and checks for cancellation.

    One thread for all runs: starting a thread for each and waking it to end it cost a short job more than its claim.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._lock = threading.Lock()
        self._runs: set[HeartbeatSubject] = set()
        self._beating = False

    @contextmanager
    def of(self, run: HeartbeatSubject) -> Iterator[None]:
        """Send heartbeats for `run` while the block runs, and none after it."""
        with self._lock:
            self._runs.add(run)
            if not self._beating:
                self._beating = True
                threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()
        try:
            yield
        finally:
            with self._lock:
                self._runs.discard(run)
            run.end_heartbeat()

    def _beat(self) -> None:
        idle = 0
        while True:
            time.sleep(self._interval)
            with self._lock:
                runs = list(self._runs)
                idle = 0 if runs else idle + 1
                if idle >= _IDLE_BEATS:
                    self._beating = False
                    return
            for run in runs:
                run.heartbeat()
