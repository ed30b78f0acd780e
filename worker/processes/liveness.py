"""Signs of life: a process touches the file named by READY_FILE when it is ready and while its main loop turns.

A supervisor waits for the file; a health check looks at its age (`astegni alive`). Asking a worker over the broker
would only show that the broker works.
"""

import os
import time
from pathlib import Path

VARIABLE = "READY_FILE"


def show_alive() -> None:
    """Touch the file, if one is named."""
    name = os.environ.get(VARIABLE)
    if name:
        Path(name).touch()


def seconds_since_alive() -> float | None:
    """Age of the last sign of life; None when there was none, or no file is named."""
    name = os.environ.get(VARIABLE)
    if not name:
        return None
    try:
        return time.time() - Path(name).stat().st_mtime
    except FileNotFoundError:
        return None
