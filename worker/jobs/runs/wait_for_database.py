"""Let the writes of a run wait for the end of a short database outage."""

import time
from collections.abc import Callable
from typing import TypeVar

from worker.database import DATABASE_UNAVAILABLE
from worker.logs import get_logger

_log = get_logger(__name__)

# A restart takes a second or two; frequent retries notice its end quickly and cost an unavailable server nothing.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0

Written = TypeVar("Written")


def retry_while_database_down(
    write: Callable[[], Written], *, seconds: float, again: Callable[[], Written] | None = None
) -> Written:
    """Call `write` until the database accepts it, for at most `seconds`; then raise its last error.

    If only the response was lost, `write` runs twice, so it must be idempotent; otherwise pass `again`, which replaces
    it after the first error.
    """
    until = time.monotonic() + seconds
    pause = _FIRST_PAUSE
    while True:
        try:
            return write()
        except DATABASE_UNAVAILABLE as error:
            if time.monotonic() + pause > until:
                raise
            _log.info("database_awaited", error=type(error).__name__, again_in=pause)
            write = again or write
        time.sleep(pause)
        pause = min(_LONGEST_PAUSE, 2 * pause)
