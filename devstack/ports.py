"""Free ports. Looking for one is a race: stacks reserve theirs, and a server whose port is taken tries another."""

import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
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


@contextmanager
def usual_port(file: Path, first: int | None = None) -> Iterator[int]:
    """The port in `file` from an earlier start, else `first`, or a free one if those are taken.

    During the block no other caller on this machine gets it, even before a server listens on it. `file` then holds the
    port, so that addresses given out before a restart stay valid.
    """
    with ExitStack() as running:
        port = next(port for port in _candidates(file, first) if _reserve(port, running))
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.write_text(str(port))
        yield port


def _candidates(file: Path, first: int | None) -> Iterator[int]:
    earlier = file.read_text() if file.exists() else ""
    for port in (int(earlier) if earlier.isdecimal() else None, first):
        if port is not None and _is_free(port):
            yield port
    while True:
        yield free_port()


def _reserve(port: int, running: ExitStack) -> bool:
    """Reserve the port until `running` is closed, or this process ends; returns False when somebody else has it.

    The reservation is the name of an abstract socket: the kernel gives it to one process of the network namespace, in
    which the port has to be unique too, and leaves no file.
    """
    with ExitStack() as attempt:
        reservation = attempt.enter_context(socket.socket(socket.AF_UNIX))
        try:
            reservation.bind(f"\0devstack-port-{port}")
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return False
        running.enter_context(attempt.pop_all())
        return True


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
