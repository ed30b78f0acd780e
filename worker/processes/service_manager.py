"""Report readiness and liveness to the service manager that started this process (sd_notify(3))."""

import os
import socket
from contextlib import suppress

_VARIABLE = "NOTIFY_SOCKET"


def notify_service_manager(state: str) -> None:
    """Send `state`, e.g. `READY=1`, to the socket that systemd names; do nothing when another program started us."""
    address = os.environ.get(_VARIABLE)
    if not address:
        return
    # `@` stands for the NUL byte of an abstract socket.
    path = f"\0{address[1:]}" if address.startswith("@") else address
    # A manager that is restarting or busy misses one message; the next follows within seconds.
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender, suppress(OSError):
        sender.sendto(state.encode(), path)
