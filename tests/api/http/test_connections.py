"""Connections that keep the server waiting are closed in time and never block others. Real sockets."""

import asyncio
import contextlib
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from ipaddress import ip_network
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import StreamingResponse

from tests.waiting import TIMEOUT, wait_for
from worker.api.http.bounded_protocol import BoundedProtocol
from worker.api.http.connection_bounds import Bounds, raise_descriptors
from worker.api.http.connections import Connections
from worker.settings import Settings

# Nothing is closed by time, unless a test makes one of these short.
PATIENT = Bounds(most=5000, most_of_address=0, header_seconds=600, pause_seconds=600, least_rate=0)


def _small_api() -> FastAPI:
    api = FastAPI()

    @api.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @api.post("/body")
    async def body(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    @api.get("/fields")
    async def fields(request: Request) -> list[str]:
        return list(request.headers)

    @api.post("/refuse")
    async def refuse() -> dict[str, str]:
        return {"status": "no"}

    @api.get("/endless")
    async def endless() -> StreamingResponse:
        async def pieces() -> Any:
            while True:
                yield b" " * 65_536

        return StreamingResponse(pieces())

    @api.get("/working")
    async def working() -> StreamingResponse:
        async def pieces() -> Any:
            yield b"1"
            await asyncio.Event().wait()

        return StreamingResponse(pieces())

    return api


@contextmanager
def _serving(bounds: Bounds, *, idle: int = 600) -> Iterator[tuple[Callable[[], socket.socket], Connections]]:
    connections = Connections(bounds)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            _small_api(),
            http=partial(BoundedProtocol, connections),  # type: ignore[arg-type]
            log_config=None,
            timeout_keep_alive=idle,
            timeout_graceful_shutdown=1,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        wait_for(lambda: server.started)
        try:
            yield lambda: socket.create_connection(listener.getsockname(), timeout=TIMEOUT), connections
        finally:
            server.should_exit = True
            thread.join(TIMEOUT)
            assert not thread.is_alive()


def _rest(client: socket.socket) -> bytes:
    """What comes until the server closes the connection."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := client.recv(65_536):
            received += piece
    return received


def _healthy(connect: Callable[[], socket.socket]) -> bool:
    with connect() as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        response = _rest(client)
        assert response.startswith(b"HTTP/1.1 200"), response
        return True


_HALVES = {
    "nothing": b"",
    "header": b"GET /healthz HTTP/1.1\r\nHost:",
    "body": b"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n12",
    "chunk": b"POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12",
}


@pytest.mark.parametrize("sent", _HALVES.values(), ids=_HALVES)
def test_half_a_request_is_closed_in_time(sent: bytes) -> None:
    bounds = replace(PATIENT, header_seconds=0.2, pause_seconds=0.2)
    with _serving(bounds) as (connect, connections), connect() as client:
        client.sendall(sent)
        assert _rest(client).startswith(b"HTTP/1.1 408 Request Timeout\r\nContent-Type: application/problem+json\r\n")
        assert sum(connections.dropped.values()) == 1
        assert _healthy(connect)


def test_a_second_half_header_is_closed_too() -> None:
    with _serving(replace(PATIENT, header_seconds=0.2)) as (connect, connections), connect() as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.recv(65_536)
        client.sendall(b"GET /heal")
        _rest(client)
        assert connections.dropped == {"header": 1}


def test_a_body_that_trickles_is_closed() -> None:
    bounds = replace(PATIENT, pause_seconds=1.0, least_rate=1000)
    with _serving(bounds) as (connect, connections), connect() as client:
        client.sendall(_HALVES["body"])
        trickling = threading.Event()

        def trickle() -> None:
            with contextlib.suppress(OSError):
                while not trickling.wait(0.05):
                    client.sendall(b"1")

        thread = threading.Thread(target=trickle)
        thread.start()
        try:
            assert _rest(client)[:12] == b"HTTP/1.1 408"
        finally:
            trickling.set()
            thread.join()
        assert connections.dropped == {"body": 1}


def test_a_body_that_keeps_the_least_rate_is_read() -> None:
    bounds = replace(PATIENT, pause_seconds=600, least_rate=1)
    with _serving(bounds) as (connect, connections), connect() as client:
        client.sendall(b"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nConnection: close\r\n\r\n")
        for _ in range(6):
            client.sendall(b"1")
        assert b'{"bytes":6}' in _rest(client)
        assert not connections.dropped


def test_an_answer_that_nobody_reads_is_cut_off() -> None:
    with _serving(replace(PATIENT, pause_seconds=0.2)) as (connect, connections), connect() as client:
        client.sendall(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for(lambda: connections.dropped == {"answer": 1})


def test_what_follows_a_refusal_is_not_read_for_ever() -> None:
    with _serving(PATIENT) as (connect, connections), connect() as client:
        client.sendall(b"POST /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n")
        assert client.recv(65_536).startswith(b"HTTP/1.1 200")
        with contextlib.suppress(OSError):
            for _ in range(1000):
                client.sendall(bytes(100_000))
        wait_for(lambda: connections.dropped == {"discarded": 1})


_TWO_LENGTHS = b"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12"
_LENGTH_AND_CHUNKS = b"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
_MALFORMED = {
    "endless header": (b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + bytes([65]) * 20_000, 431, "16384"),
    "endless path": (b"GET /" + bytes([65]) * 20_000, 431, "16384"),
    "no host": (b"GET /healthz HTTP/1.1\r\n\r\n", 400, "one field Host"),
    "two hosts": (b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "one field Host"),
    "two lengths": (_TWO_LENGTHS, 400, "HTTP"),
    "length and chunks": (_LENGTH_AND_CHUNKS, 400, "HTTP"),
    "no path": (b"GET healthz HTTP/1.1\r\nHost: a\r\n\r\n", 400, "HTTP"),
}


@pytest.mark.parametrize(("sent", "status", "detail"), _MALFORMED.values(), ids=_MALFORMED)
def test_a_malformed_request_is_refused_and_its_connection_closed(sent: bytes, status: int, detail: str) -> None:
    with _serving(PATIENT) as (connect, connections), connect() as client:
        client.sendall(sent)
        head, _, body = _rest(client).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status)
        assert b"\r\nContent-Type: application/problem+json\r\n" in head
        assert detail in json.loads(body)["detail"]
        wait_for(lambda: len(connections) == 0)
        assert _healthy(connect)


def test_an_endless_field_behind_a_chunked_body_is_refused() -> None:
    with _serving(PATIENT) as (connect, connections), connect() as client:
        client.sendall(_HALVES["chunk"] + b"345\r\n0\r\nX: ")
        with contextlib.suppress(OSError):
            for _ in range(1000):
                client.sendall(b"A" * 10_000)
        wait_for(lambda: len(connections) == 0)


def test_fields_behind_a_chunked_body_are_ignored() -> None:
    with _serving(PATIENT) as (connect, _), connect() as client:
        client.sendall(_HALVES["chunk"] + b"345\r\n0\r\nX-Later: 1\r\nHost: b\r\n\r\n")
        client.sendall(b"GET /fields HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        received = _rest(client)
        assert b'{"bytes":5}' in received
        assert b'["host","connection"]' in received


def test_requests_sent_at_once_are_responded_to_in_turn() -> None:
    with _serving(PATIENT) as (connect, _), connect() as client:
        body = b"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s"
        sent = [body % (size, bytes(size)) for size in range(20)]
        client.sendall(b"".join(sent) + b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        received = _rest(client)
    sizes = re.findall(rb'{"bytes":([0-9]+)}', received)
    assert [int(size) for size in sizes] == list(range(20))
    assert received.endswith(b'{"status":"ok"}')


def test_not_any_number_of_requests_may_wait_in_one_connection() -> None:
    with _serving(PATIENT) as (connect, connections), connect() as client:
        client.sendall(b"GET /working HTTP/1.1\r\nHost: a\r\n\r\n" * 200)
        assert b"HTTP/1.1 400 " in _rest(client)
        wait_for(lambda: len(connections) == 0)


def test_an_idle_connection_is_closed() -> None:
    with _serving(PATIENT, idle=1) as (connect, connections), connect() as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert _rest(client).startswith(b"HTTP/1.1 200")
        wait_for(lambda: len(connections) == 0)


@pytest.mark.parametrize("half", ["nothing", "header", "body"])
@pytest.mark.parametrize("bounds", [replace(PATIENT, most=100), replace(PATIENT, most_of_address=100)])
def test_a_thousand_half_requests_are_in_nobody_s_way(bounds: Bounds, half: str) -> None:
    raise_descriptors()
    with _serving(bounds) as (connect, connections), contextlib.ExitStack() as opened:
        for _ in range(1000):
            client = opened.enter_context(connect())
            client.sendall(_HALVES[half])
        wait_for(lambda: connections.dropped.total() >= 900)
        assert len(connections) <= 100
        assert _healthy(connect)


def test_connections_at_work_are_not_displaced() -> None:
    with _serving(replace(PATIENT, most_of_address=3)) as (connect, _), contextlib.ExitStack() as opened:
        for _ in range(3):
            client = opened.enter_context(connect())
            client.sendall(b"GET /working HTTP/1.1\r\nHost: a\r\n\r\n")
            assert client.recv(1)
        refused: list[bytes] = []

        def is_refused() -> bool:
            with connect() as late:
                refused.append(_rest(late))
            return refused[-1].startswith(b"HTTP/1.1 429")

        wait_for(is_refused)
        assert b"Retry-After: " in refused[-1]
        assert b'"code": "too-many-requests"' in refused[-1]


def test_a_trusted_proxy_has_as_many_connections_as_there_are() -> None:
    bounds = replace(PATIENT, most_of_address=1, trusted=(ip_network("127.0.0.0/8"),))
    with _serving(bounds) as (connect, connections), contextlib.ExitStack() as opened:
        for _ in range(5):
            opened.enter_context(connect())
        wait_for(lambda: len(connections) == 5)
        assert _healthy(connect)


def test_there_are_no_more_connections_than_descriptors() -> None:
    assert Bounds.of(Settings(), 1024).most == 824
    assert Bounds.of(Settings(), 65_536).most == 2000
