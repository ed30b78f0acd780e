"""An HTTP server in the foreground that reports when it accepts requests, and exits with 0 on a signal."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from devstack.errors import AlreadyInUse

# Seconds. A client that reuses a connection for its next call must not find it just closed.
_KEEP_ALIVE = 75
_STOP_WITHIN = 5
_BACKLOG = 256


class ForegroundServer(uvicorn.Server):
    """Serves `app` until SIGTERM or SIGINT; `on_started` is called once, when requests are accepted."""

    def __init__(self, app: Starlette, on_started: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http="h11",
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE,
                timeout_graceful_shutdown=_STOP_WITHIN,
            )
        )
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and report it."""
        await super().startup(sockets)
        if self.started:
            self._on_started()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Treat a signal as a normal end: uvicorn would raise it again and exit as if killed."""

        def stop(_number: int, _frame: FrameType | None) -> None:
            self.should_exit = True

        before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises AlreadyInUse when the port is unavailable."""
    try:
        listener = socket.create_server((host, port), backlog=_BACKLOG)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise AlreadyInUse(f"Nothing can listen on {host}:{port}: {reason}. Choose another port.") from error
    # Accepted sockets inherit it. asyncio sets it only on sockets created with an explicit protocol, and without it
    # the head and the body of a response, two writes, are 40 ms apart (measured: 50 ms a call without, 4 with it).
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def authority(listener: socket.socket) -> str:
    """`host:port` of a listening socket, as in a URL."""
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
