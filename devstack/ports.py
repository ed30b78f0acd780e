"""Free ports: asking is a guess, so a server that finds its port taken meanwhile is started again on another."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from devstack.errors import StartupFailed

_ATTEMPTS = 5

T = TypeVar("T")


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody used a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def usual_port(memory: Path, first: int | None = None) -> int:
    """The port that the file `memory` holds from an earlier start, else `first`, as long as nobody uses it.

    Otherwise a free one. The file then holds what is returned: addresses given out before a restart stay right.
    """
    remembered = memory.read_text() if memory.exists() else ""
    candidates = [int(remembered) if remembered.isdecimal() else None, first]
    port = next((each for each in candidates if each is not None and _is_free(each)), None) or free_port()
    memory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    memory.write_text(str(port))
    return port


def _is_free(port: int) -> bool:
    if not 0 < port < 65536:
        return False
    with socket.socket() as probe:
        # As servers do it: connections that have just ended are in nobody's way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def retry_while_port_taken(start: Callable[[], T]) -> T:
    """Call `start`, which chooses free ports, again when it fails because somebody was quicker."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return start()
        except StartupFailed as failure:
            if "address already in use" not in failure.detail.lower():
                raise
    return start()
