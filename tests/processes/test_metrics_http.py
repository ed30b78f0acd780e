"""The HTTP server of metrics, also with silent clients."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import httpx2
import pytest

from devstack.ports import free_port
from tests.waiting import TIMEOUT, wait_for
from worker.processes.metrics_http import MetricsHttpServer


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a server whose metrics are one line."""
    number = free_port()

    def app(_environment: object, start_response: object) -> list[bytes]:
        assert callable(start_response)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"up 1\n"]

    with MetricsHttpServer("127.0.0.1", number, app) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield number
        server.shutdown()


def read(port: int) -> str:
    return httpx2.get(f"http://127.0.0.1:{port}/metrics", trust_env=False, timeout=TIMEOUT).text


def silent(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), TIMEOUT)


def is_open(client: socket.socket) -> bool:
    """Whether the server has not disconnected it; a byte keeps the client from being taken for silent."""
    try:
        client.sendall(b"a")
    except OSError:
        return False
    return True


def test_the_oldest_of_too_many_clients_give_way(port: int) -> None:
    with ExitStack() as opened:
        clients = [opened.enter_context(silent(port)) for _ in range(40)]
        assert read(port) == "up 1\n"
        wait_for(lambda: [is_open(client) for client in clients] == [False] * 25 + [True] * 15)


def test_a_client_that_says_no_more_is_disconnected(port: int) -> None:
    with silent(port) as client:
        client.sendall(b"GET /metr")
        assert client.recv(1) == b""
    assert read(port) == "up 1\n"


def test_a_port_in_use_is_an_error_of_the_system(port: int) -> None:
    with pytest.raises(OSError, match="in use"):
        MetricsHttpServer("127.0.0.1", port, lambda *_: [])
