"""Free ports: asking is a guess, so a server that finds its port taken meanwhile is started again on another."""

import socket
from collections.abc import Callable
from typing import TypeVar

from worker.dev.process import StartupFailed

_ATTEMPTS = 5

T = TypeVar("T")


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody used a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def retry_while_port_taken(start: Callable[[], T]) -> T:
    """Call `start`, which chooses free ports, again when it fails because somebody was quicker."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return start()
        except StartupFailed as failure:
            if "address already in use" not in failure.detail.lower():
                raise
    return start()
