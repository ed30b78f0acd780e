"""A TCP proxy in front of PostgreSQL that loses a response: the statement is done, and its connection breaks."""

import contextlib
import socket
import threading


class LossyProxy:
    """Listens on a free port of 127.0.0.1 until `close`."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._words: bytes | None = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        # How many responses were lost.
        self.lost = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def lose(self, words: str) -> None:
        """Lose the response to the next statement that has these words."""
        self._words = words.encode()

    def close(self) -> None:
        """Take no further connection."""
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._target))
            losing = threading.Event()
            threading.Thread(target=self._pump_requests, args=(client, server, losing), daemon=True).start()
            threading.Thread(target=self._pump_responses, args=(server, client, losing), daemon=True).start()

    def _pump_requests(self, client: socket.socket, server: socket.socket, losing: threading.Event) -> None:
        with client, server:
            while data := _received(client):
                if self._words is not None and self._words in data:
                    self._words = None
                    losing.set()
                server.sendall(data)

    def _pump_responses(self, server: socket.socket, client: socket.socket, losing: threading.Event) -> None:
        while data := _received(server):
            if losing.is_set():
                self.lost += 1
                break
            client.sendall(data)
        for end in (client, server):
            _shut_down(end)


def _received(end: socket.socket) -> bytes:
    try:
        return end.recv(65536)
    except OSError:
        return b""


def _shut_down(end: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the other side was faster
        end.shutdown(socket.SHUT_RDWR)
