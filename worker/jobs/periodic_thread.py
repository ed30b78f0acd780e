"""Call a maintenance function at an interval, in a thread that survives every failure of it."""

import random
import threading
from collections.abc import Callable

import psycopg
import redis
from kombu.exceptions import KombuError
from sqlalchemy.exc import SQLAlchemyError

from worker.errors import AstegniError
from worker.logs import get_logger

_log = get_logger(__name__)

# While the database or the broker is down, retry after at most this many seconds.
_LONGEST_PAUSE = 5.0


def failed_service(error: BaseException) -> str:
    """The service that raised an error: `postgresql`, `broker`, `storage`, or `none`.

    By package, since the first two both raise an OperationalError.
    """
    cause: BaseException | None = error
    while cause is not None:
        match cause:
            case SQLAlchemyError() | psycopg.Error():
                return "postgresql"
            case KombuError() | redis.RedisError():
                return "broker"
            case AstegniError() if cause.code.startswith("storage-"):
                return "storage"
        cause = cause.__cause__ or cause.__context__
    return "none"


def _no_beat() -> None:
    return None


class PeriodicThread:
    """Runs `step` every `interval` seconds until stopped, without a pause while it returns a full batch.

    `beat` is called after each successful step (worker/jobs/heartbeats.py).

    After a failure the pause doubles up to 5 s with jitter, so that many workers do not retry at the same moment.
    """

    def __init__(
        self, name: str, step: Callable[[], bool], *, interval: float, beat: Callable[[], None] = _no_beat
    ) -> None:
        self._name = name
        self._step = step
        self._interval = interval
        self._beat = beat
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Stop after the current step."""
        self._stopping.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            pause = self._interval
            try:
                more = self._step()
                self._beat()
                failures = 0
                if more:
                    continue
            except Exception as error:  # noqa: BLE001 - maintenance must survive every outage and try again
                failures += 1
                pause = min(_LONGEST_PAUSE, self._interval * 2**failures) * (0.5 + random.random())
                _log.warning(
                    "loop_failed",
                    loop=self._name,
                    service=failed_service(error),
                    error=type(error).__name__,
                    failures=failures,
                    pause=round(pause, 3),
                )
            self._stopping.wait(pause)
