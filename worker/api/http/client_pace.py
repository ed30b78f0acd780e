"""How fast the client of a connection sends and reads, and whether that is too slow."""

import time

from worker.api.http.connection_bounds import Bounds
from worker.api.http.waiting_connections import Waiting


class ClientPace:
    """What one client has sent so far, and since when it has been slow. Times are those of the monotonic clock."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        # When the last byte arrived, when an incomplete header began, and since when the client reads nothing.
        self.heard_at = time.monotonic()
        self.header_at: float | None = self.heard_at
        self.writing_paused_at: float | None = None
        # The current window of a body, over which its rate is measured.
        self._window_at = self.heard_at
        self._window_bytes = 0

    def receive(self, size: int, *, in_body: bool) -> None:
        """Record that bytes have arrived; bytes outside a body begin a new window."""
        self.heard_at = time.monotonic()
        if not in_body:
            self._begin_window(self.heard_at)
        self._window_bytes += size

    def restart(self) -> None:
        """Measure from now on: until now we have not read what the client sent."""
        self.heard_at = time.monotonic()
        self._begin_window(self.heard_at)

    def is_overdue(self, waits: Waiting) -> bool:
        """Whether the client has taken too long for what the connection waits for."""
        now = time.monotonic()
        longest = self._bounds.header_seconds if waits.reason == "header" else self._bounds.pause_seconds
        return now - waits.since > longest or (waits.reason == "body" and self._is_below_rate(now))

    def _is_below_rate(self, now: float) -> bool:
        if now - self._window_at < self._bounds.pause_seconds:
            return False
        is_slow = self._window_bytes < self._bounds.least_rate * (now - self._window_at)
        self._begin_window(now)
        return is_slow

    def _begin_window(self, now: float) -> None:
        self._window_at, self._window_bytes = now, 0
