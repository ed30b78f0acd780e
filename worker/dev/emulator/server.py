"""Runs the emulator in the foreground until it is told to stop."""

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from worker.dev.emulator.app import create_emulator
from worker.dev.emulator.credentials import Credentials

# A client that keeps a connection for its next call must not find it closed at that very moment.
_KEEP_ALIVE = 75
_STOP_WITHIN = 5


def run_emulator(
    root: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    bucket: str = "astegni-media",
    on_ready: Callable[[Credentials], None],
) -> None:
    """Serve the store in folder `root` until SIGTERM or SIGINT; `port` 0 takes a free one.

    `on_ready` is called once, when calls are answered. Raises Conflict when the folder is in use by another
    emulator, and OSError when the port is taken.
    """
    with socket.create_server((host, port), backlog=256) as listener:
        # Accepted sockets inherit it. asyncio sets it only on sockets made with the protocol spelled out, and
        # without it head and body of an answer, two writes, are 40 ms apart (measured: 50 ms a call, now 4).
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        app = create_emulator(root, bucket=bucket)
        vault = app.state.emulator.vault
        credentials = Credentials(f"http://{_authority(listener)}", vault.key_id, vault.application_key, bucket)
        _Server(app, lambda: on_ready(credentials)).run(sockets=[listener])


class _Server(uvicorn.Server):
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


def _authority(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
