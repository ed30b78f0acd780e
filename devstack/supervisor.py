"""One of our own processes in the embedded stack: started, waited for, started again when it ends by itself."""

import logging
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from devstack.process import ChildProcess, wait_until

# A worker of the product gives its running jobs 20 s to end.
_STOP_TIMEOUT = 30.0
_READY_TIMEOUT = 180.0  # measured: 2 to 6 s, 40 s on a machine with five times the work it can do
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
# An end after this much time is a first end again.
_RECOVERED = 60.0

_log = logging.getLogger(__name__)


def pause_before(restart: int) -> float:
    """Seconds to wait before restart number 1, 2, …: doubling from half a second to half a minute."""
    return float(min(_FIRST_PAUSE * 2 ** min(restart - 1, 10), _LONGEST_PAUSE))


class Service:
    """A process that is kept running; `tend` is to be called again and again.

    `ready` tells whether it is. `sign` is the file that it touches when it is: removed before each start.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        environment: Mapping[str, str],
        ready: Callable[[], bool],
        sign: Path | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self.process: ChildProcess | None = None
        self._command = command
        self._environment = environment
        self._ready = ready
        self._sign = sign
        self._restarts = 0
        self._started_at = 0.0
        self._restart_at = 0.0

    def start(self) -> None:
        """Start the process, without waiting."""
        if self._sign is not None:
            self._sign.unlink(missing_ok=True)
        self.process = ChildProcess(self.name, self._command, self.log, env=self._environment)
        self._started_at = time.monotonic()

    def wait(self) -> None:
        """Wait until it is ready; raises StartupFailed."""
        if self.process is not None:
            wait_until(self._ready, self.process, _READY_TIMEOUT, interval=0.1)

    def tend(self) -> None:
        """When it has ended, say so and start it again after a pause that grows with each end."""
        if self.process is None:
            if time.monotonic() >= self._restart_at:
                self.start()
                _log.info("%s was restarted (restart %d in a row)", self.name, self._restarts)
        elif self.process.exit_code is not None:
            self._restarts = 1 if time.monotonic() - self._started_at > _RECOVERED else self._restarts + 1
            pause = pause_before(self._restarts)
            _log.error(
                "%s ended with %d and is restarted in %g s. %s ends with:\n%s",
                self.name,
                self.process.exit_code,
                pause,
                self.log,
                self.process.log_tail(),
            )
            # Whatever it left behind in its group would work beside its successor.
            self.process.kill()
            self.process = None
            self._restart_at = time.monotonic() + pause

    def ask_to_stop(self) -> None:
        """Send SIGTERM, without waiting."""
        if self.process is not None:
            self.process.signal(signal.SIGTERM)

    def stop(self, timeout: float) -> None:
        """Wait for its end, at most `timeout` seconds, then end its whole group. Again is harmless."""
        if self.process is not None:
            # No second SIGTERM: Celery would take it for impatience.
            self.process.wait(timeout)
            self.process.kill()
            self.process = None


def start_services(services: Sequence[Service]) -> None:
    """Start all at once and wait until the last is ready; raises StartupFailed, and none is left running then."""
    try:
        for service in services:
            service.start()
        for service in services:
            service.wait()
    except BaseException:
        stop_services(services)
        raise


def stop_services(services: Sequence[Service]) -> None:
    """Ask all to stop, the last first, and wait until all have; again is harmless."""
    deadline = time.monotonic() + _STOP_TIMEOUT
    for service in reversed(services):
        service.ask_to_stop()
    for service in reversed(services):
        service.stop(deadline - time.monotonic())
