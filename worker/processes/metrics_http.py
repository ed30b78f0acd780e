"""An HTTP server for metrics that clients cannot exhaust: silent ones time out, surplus ones displace the oldest."""

import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from worker.logs import get_logger

_log = get_logger(__name__)

# Seconds in which a client must send or receive something; Prometheus itself abandons a scrape 10 s after its start.
_TIMEOUT = 5.0
# Each has a thread. A few Prometheus servers and a person with a browser need no more at a time.
_MAX_CLIENTS = 16


class MetricsRequestHandler(WSGIRequestHandler):
    """One request."""

    timeout = _TIMEOUT

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's signature
        """Log nothing for a scrape."""


class MetricsHttpServer(ThreadingMixIn, WSGIServer):
    """Serves every client in its own thread; when there are too many, the oldest is disconnected."""

    daemon_threads = True

    def __init__(self, host: str, port: int, app: Callable[..., Any]) -> None:
        """Listen at the address. Raises OSError."""
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        self.address_family = family
        self._lock = threading.Lock()
        # A dict, because it keeps the order of connection.
        self._clients: dict[socket.socket, None] = {}
        super().__init__((str(address[0]), port), MetricsRequestHandler)
        self.set_app(app)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a client; called by the thread that accepts connections."""
        with self._lock:
            self._clients[request] = None
            surplus = [*self._clients][:-_MAX_CLIENTS]
        for oldest in surplus:
            # Its thread then reads the end of the stream, and ends.
            with suppress(OSError):
                oldest.shutdown(socket.SHUT_RDWR)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a client's connection."""
        with self._lock:
            self._clients.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - socketserver's signature
        """Log errors, except those of the client or the network."""
        if not isinstance(sys.exception(), OSError):
            _log.exception("metrics_request_failed")
