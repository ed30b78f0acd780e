"""An HTTP server of ours in the foreground: told when it answers, ended by a signal as it should be."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from devstack.errors import AlreadyInUse

# A client that keeps a connection for its next call must not find it closed at that very moment.
_KEEP_ALIVE = 75
_STOP_WITHIN = 5
_BACKLOG = 256


class ForegroundServer(uvicorn.Server):
    """Serves `app` until SIGTERM or SIGINT; `on_started` is called once, when requests are answered."""

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
        """Start, and say so."""
        await super().startup(sockets)
        if self.started:
            self._on_started()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Being told to stop is a good end: uvicorn would raise the signal again and exit as if killed."""

        def stop(_number: int, _frame: FrameType | None) -> None:
            self.should_exit = True

        before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises AlreadyInUse when the port cannot be had."""
    try:
        listener = socket.create_server((host, port), backlog=_BACKLOG)
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise AlreadyInUse(f"Nothing can listen on {host}:{port}: {why}. Choose another port.") from error
    # Accepted sockets inherit it. asyncio sets it only on sockets made with the protocol spelled out, and
    # without it head and body of an answer, two writes, are 40 ms apart (measured: 50 ms a call, now 4).
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def authority(listener: socket.socket) -> str:
    """`host:port` of a listening socket, as in a URL."""
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
