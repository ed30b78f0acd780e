"""Services: a product's processes that use the servers; started, checked for readiness, restarted when they end."""

import http.client
import logging
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from devstack.process import ChildProcess, wait_until

_READY_TIMEOUT = 180.0  # measured: 2 to 6 s; 40 s on a machine with five times the load it can handle
# Longer than the 20 s that a worker gives its running jobs.
_STOP_TIMEOUT = 30.0
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
# A service that ran this long before it ended counts as restarted for the first time.
_RECOVERED = 60.0

_log = logging.getLogger(__name__)

# Starts a service's process: its name, command, log and environment.
StartProcess = Callable[[str, Sequence[str], Path, Mapping[str, str]], ChildProcess]


def http_ready(host: str, port: int, path: str) -> Callable[[], bool]:
    """A check whether GET `path` returns 200; it connects directly, without a proxy that the environment names."""

    def ready() -> bool:
        connection = http.client.HTTPConnection(host, port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return ready


def pause_before(restart: int) -> float:
    """Seconds to wait before restart number 1, 2, …: doubling from half a second to half a minute."""
    return float(min(_FIRST_PAUSE * 2 ** min(restart - 1, 10), _LONGEST_PAUSE))


def start_program(name: str, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> ChildProcess:
    """A process whose command is a program and its arguments."""
    return ChildProcess(name, command, log, env=environment)


class Service:
    """A process that is restarted whenever it ends; call `check` regularly.

    `start_process` starts it; by default the command is that of a program. `ready` returns whether it is ready.
    `ready_file`, which the process creates when it is ready, is removed before each start; by default `ready` checks
    whether it exists.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        environment: Mapping[str, str],
        *,
        start_process: StartProcess = start_program,
        ready: Callable[[], bool] | None = None,
        ready_file: Path | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self.process: ChildProcess | None = None
        self._command = command
        self._environment = environment
        self._start_process = start_process
        self._ready = ready or (ready_file.exists if ready_file else lambda: True)
        self._ready_file = ready_file
        self._restarts = 0
        self._started_at = 0.0
        self._restart_at = 0.0

    def start(self) -> None:
        """Start the process, without waiting."""
        if self._ready_file is not None:
            self._ready_file.unlink(missing_ok=True)
        self.process = self._start_process(self.name, self._command, self.log, self._environment)
        self._started_at = time.monotonic()

    def wait(self) -> None:
        """Wait until it is ready; raises StartupFailed."""
        if self.process is not None:
            wait_until(self._ready, self.process, _READY_TIMEOUT, interval=0.1)

    def check(self) -> None:
        """When it has ended, log that, and restart it after a pause that grows with each end."""
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
            # The rest of its group would run alongside its successor.
            self.process.kill()
            self.process = None
            self._restart_at = time.monotonic() + pause

    def request_stop(self) -> None:
        """Send SIGTERM, without waiting."""
        if self.process is not None:
            self.process.signal(signal.SIGTERM)

    def stop(self, timeout: float) -> None:
        """Wait up to `timeout` seconds for its end, then kill its whole group; idempotent."""
        if self.process is not None:
            # No second SIGTERM: Celery would end at once.
            self.process.wait(timeout)
            self.process.kill()
            self.process = None


def start_services(services: Sequence[Service]) -> None:
    """Start all, then wait until each is ready; raises StartupFailed, after which none is running."""
    try:
        for service in services:
            service.start()
        for service in services:
            service.wait()
    except BaseException:
        stop_services(services)
        raise


def stop_services(services: Sequence[Service]) -> None:
    """Ask all to stop, the last first, and wait until all have; idempotent."""
    deadline = time.monotonic() + _STOP_TIMEOUT
    for service in reversed(services):
        service.request_stop()
    for service in reversed(services):
        service.stop(deadline - time.monotonic())
