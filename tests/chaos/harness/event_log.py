"""A record outside the system: an append-only file in which every process notes what it did."""

import json
import os
import time
from pathlib import Path
from typing import Any

VARIABLE = "CHAOS_EVENT_LOG"


class EventLog:
    """The file at `path`. One `write` to a file opened for appending is not torn by another process's."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    def write(self, what: str, **facts: Any) -> None:
        """Append one line; it stands there even when this process is killed right after."""
        line = json.dumps({"what": what, "at": time.time(), "pid": os.getpid(), **facts}) + "\n"
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)

    def read(self, *what: str) -> list[dict[str, Any]]:
        """What was written down, in its order; only lines of these kinds when any is named."""
        lines = [json.loads(line) for line in self.path.read_text().splitlines()]
        return [line for line in lines if not what or line["what"] in what]
