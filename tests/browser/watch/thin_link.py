"""A SOCKS5 proxy (RFC 1928, without authentication) whose connections share one thin link."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# Bytes that are passed on at once: a tenth of a second at 64 kbit/s.
_PIECE = 800
_LATENCY = 0.06


class ThinLink:
    """So many bits a second in each direction, and 60 ms more for each new connection."""

    def __init__(self, bits_per_second: int) -> None:
        self._rate = bits_per_second / 8
        # Bytes that were passed on.
        self.passed = {"up": 0, "down": 0}
        self._free_at = {"up": 0.0, "down": 0.0}
        self._lock = threading.Lock()
        self._server = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._server.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def flags(self) -> list[str]:
        """Flags of a browser whose requests all pass the link."""
        return [f"--proxy-server=socks5://127.0.0.1:{self.port}", "--proxy-bypass-list=<-loopback>"]

    def close(self) -> None:
        """Wait for the connections to end; their browser must be closed before."""
        # Closing alone does not end a call of accept in another thread.
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._server.close()
        for thread in self._threads[1:]:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                self._threads.append(threading.Thread(target=self._connect, args=(client,), daemon=True))
                self._threads[-1].start()

    def _connect(self, client: socket.socket) -> None:
        with client, suppress(OSError, ValueError):
            client.recv(2 + 255)
            client.sendall(b"\x05\x00")
            request = client.recv(262)
            host, port = _target(request)
            time.sleep(_LATENCY)
            with socket.create_connection((host, port)) as server:
                client.sendall(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
                up = threading.Thread(target=self._pass, args=(client, server, "up"), daemon=True)
                up.start()
                self._pass(server, client, "down")
                up.join()

    def _pass(self, source: socket.socket, target: socket.socket, way: str) -> None:
        with suppress(OSError):
            while piece := source.recv(_PIECE):
                self._wait(len(piece), way)
                target.sendall(piece)
                with self._lock:
                    self.passed[way] += len(piece)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _wait(self, size: int, way: str) -> None:
        with self._lock:
            now = time.monotonic()
            self._free_at[way] = max(now, self._free_at[way]) + size / self._rate
            until = self._free_at[way]
        time.sleep(max(0.0, until - now))


def _target(request: bytes) -> tuple[str, int]:
    if len(request) < 10:
        raise ValueError("the browser has closed the connection")
    if request[3] == 1:
        return socket.inet_ntoa(request[4:8]), int.from_bytes(request[8:10], "big")
    if request[3] == 3:
        end = 5 + request[4]
        return request[5:end].decode(), int.from_bytes(request[end : end + 2], "big")
    raise ValueError("IPv6")


@contextmanager
def thin_link(bits_per_second: int) -> Iterator[ThinLink]:
    """Such a link; close the browser that uses it before it ends."""
    link = ThinLink(bits_per_second)
    try:
        yield link
    finally:
        link.close()
