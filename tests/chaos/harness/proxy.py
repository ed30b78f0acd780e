"""A TCP proxy on loopback that cuts, delays, throttles and rewrites, and follows a server to another port."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

from tests.waiting import TIMEOUT

_CHUNK = 1 << 16
# What a slow link takes at once.
_PACKET = 1 << 10
# Close with a reset: what is on the way is lost, as when a router forgets a connection.
_RESET = struct.pack("ii", 1, 0)


Result = TypeVar("Result")


class Proxy:
    """Listens on a free port of 127.0.0.1 for as long as the `with` block lasts, in a thread of its own."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        # Seconds that each piece of data is held back.
        self.delay = 0.0
        # (old, new): replaced in what clients send.
        self.rewrite: tuple[bytes, bytes] | None = None
        # Bytes a second that all clients together can send; None: without a limit.
        self.uplink: float | None = None
        self._free_at = 0.0
        self._refusing = False
        self._streams: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._do(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(TIMEOUT)
        self._loop.close()

    def reset(self) -> int:
        """Break every connection with a reset; return how many."""
        return self._do(self._reset())

    def refuse(self, refusing: bool = True) -> None:
        """Break every connection and refuse new ones, or, with False, admit them again."""
        self._refusing = refusing
        if refusing:
            self.reset()

    def _do(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(TIMEOUT)

    async def _reset(self) -> int:
        streams = list(self._streams)
        for stream in streams:
            _break(stream)
        return len(streams) // 2

    async def _close(self) -> None:
        self._server.close()
        await self._reset()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            return _break(writer)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            return _break(writer)
        ends = {writer, far_writer}
        self._streams |= ends
        try:
            # Cancelled when the proxy closes, which is no news to anybody.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(
                    self._pump(reader, far_writer, rewriting=True), self._pump(far_reader, writer, rewriting=False)
                )
        finally:
            self._streams -= ends
            for end in ends:
                end.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, rewriting: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_PACKET if rewriting and self.uplink else _CHUNK):
                if self.delay:
                    await asyncio.sleep(self.delay)
                if rewriting and self.uplink:
                    await self._send_slowly(len(data), self.uplink)
                if rewriting and self.rewrite is not None:
                    data = data.replace(*self.rewrite)
                writer.write(data)
                await writer.drain()
        # The other side is done: so is this connection, in both directions.
        with contextlib.suppress(OSError, RuntimeError):
            writer.close()

    async def _send_slowly(self, size: int, bytes_per_second: float) -> None:
        """Wait until the link has sent this, behind what the other connections send."""
        now = self._loop.time()
        self._free_at = max(self._free_at, now) + size / bytes_per_second
        await asyncio.sleep(self._free_at - now)


def _break(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
