"""A server that says in one line on its standard output how to reach it."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from worker.dev.environment import environment_without_settings
from worker.dev.process import ChildProcess, wait_until

_READY_TIMEOUT = 60.0  # measured: 1.5 s
_LINE_LIMIT = 65_536


def introduced(name: str, command: Sequence[str], log: Path) -> tuple[ChildProcess, bytes]:
    """Start it, knowing no setting, and wait for its line; answers both. Raises StartupFailed."""
    # Apart from the log: a line may hold a key, which has no business there.
    with tempfile.TemporaryFile() as said:
        server = ChildProcess(name, command, log, env=environment_without_settings(), stdout=said)
        try:
            wait_until(lambda: b"\n" in os.pread(said.fileno(), _LINE_LIMIT, 0), server, _READY_TIMEOUT)
            return server, os.pread(said.fileno(), _LINE_LIMIT, 0).partition(b"\n")[0]
        except BaseException:
            server.kill()
            raise
