"""Free ports. Looking for one is a race, so a server whose port was taken meanwhile is started again on another."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from devstack.errors import StartupFailed

_ATTEMPTS = 5

T = TypeVar("T")


def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def usual_port(file: Path, first: int | None = None) -> int:
    """The port that `file` holds from an earlier start, else `first`, else, when those are taken, a free one.

    `file` then holds the returned port, so that addresses given out before a restart stay valid.
    """
    earlier = file.read_text() if file.exists() else ""
    candidates = [int(earlier) if earlier.isdecimal() else None, first]
    port = next((each for each in candidates if each is not None and _is_free(each)), None) or free_port()
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_text(str(port))
    return port


def _is_free(port: int) -> bool:
    if not 0 < port < 65536:
        return False
    with socket.socket() as probe:
        # As servers do: connections in TIME_WAIT do not block the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def retry_while_port_taken(start: Callable[[], T]) -> T:
    """Call `start`, which chooses free ports, again when another process took one of them first."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return start()
        except StartupFailed as failure:
            if "address already in use" not in failure.detail.lower():
                raise
    return start()
