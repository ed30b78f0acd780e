"""Liveness: a process touches the file named by READY_FILE when it is ready and while its main loop runs.

A supervisor waits for the file; a health check looks at its age (`astegni alive`). Pinging a worker through the broker
would only show that the broker works. systemd gets the same signals (deploy/systemd).
"""

import os
import time
from pathlib import Path

from worker.processes.service_manager import notify_service_manager

VARIABLE = "READY_FILE"


# When this process last called `report_liveness`, in monotonic seconds.
_last_report: float | None = None


def report_liveness() -> None:
    """Record the time, touch the file if one is named, and tell the service manager if there is one."""
    global _last_report  # noqa: PLW0603 - Celery's signals have no object to store it in
    _last_report = time.monotonic()
    name = os.environ.get(VARIABLE)
    if name:
        Path(name).touch()
    notify_service_manager("READY=1\nWATCHDOG=1")


def seconds_since_report() -> float | None:
    """Seconds since this process last called `report_liveness`; None before the first call."""
    return None if _last_report is None else time.monotonic() - _last_report


def seconds_since_touched() -> float | None:
    """Age of the named file, negative after the clock was set back; None without the file, or if none is named."""
    name = os.environ.get(VARIABLE)
    if not name:
        return None
    try:
        return time.time() - Path(name).stat().st_mtime
    except FileNotFoundError:
        return None
