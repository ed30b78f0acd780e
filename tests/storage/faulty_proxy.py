"""A proxy in front of the emulator that injects faults on demand and counts what it receives."""

import contextlib
import http.client
import json
import socket
import struct
import threading
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.waiting import TIMEOUT

_PIECE = 1 << 16
_FOREVER = 10**18


@dataclass(frozen=True)
class Answer:
    """An answer that never came from the emulator; the request is read to its end first."""

    status: int
    code: str = "an_error"
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None

    def body(self) -> bytes:
        error = {"status": self.status, "code": self.code, "message": f"message of {self.code}"}
        return json.dumps(error).encode() if self.content is None else self.content


@dataclass(frozen=True)
class Cut:
    """The connection is reset after so many bytes of the request's body."""

    after: int


@dataclass(frozen=True)
class CutAnswer:
    """The connection is reset after so many bytes of the answer's body."""

    after: int


@dataclass(frozen=True)
class Garble:
    """One bit of the request's body is turned."""


@dataclass(frozen=True)
class GarbleAnswer:
    """One bit of the answer's body is turned."""


@dataclass(frozen=True)
class Hold:
    """The request stops after so many bytes of its body until it is released."""

    after: int
    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)


Fault = Answer | Cut | CutAnswer | Garble | GarbleAnswer | Hold


class FaultyProxy:
    """Which requests meet which fault, and what arrived. A call is named `b2_upload_part`, or `download`."""

    def __init__(self, upstream: str) -> None:
        self.upstream = urlsplit(upstream).netloc
        self.url = ""
        self.received: dict[str, int] = defaultdict(int)
        self.requests: dict[str, int] = defaultdict(int)
        self._next: dict[str, deque[Fault | None]] = defaultdict(deque)
        self._always: dict[str, Fault] = {}
        self._lock = threading.Lock()

    def meet(self, call: str, *faults: Fault | None) -> None:
        """The next requests of this call meet these, in turn; None lets one pass."""
        self._next[call].extend(faults)

    def always(self, call: str, fault: Fault | None) -> None:
        """Every request of this call meets this; None ends it."""
        self._always.pop(call, None)
        if fault is not None:
            self._always[call] = fault

    def fault(self, call: str) -> Fault | None:
        with self._lock:
            self.requests[call] += 1
            return self._next[call].popleft() if self._next[call] else self._always.get(call)

    def count(self, call: str, size: int) -> None:
        with self._lock:
            self.received[call] += size


class _Gone(Exception):
    """The client hung up."""


class _Proxy(BaseHTTPRequestHandler):
    proxy: FaultyProxy
    timeout = 60

    def do_POST(self) -> None:
        path = urlsplit(self.path).path
        self.call = path.split("/")[3] if path.startswith("/b2api/") else "download"
        fault = self.proxy.fault(self.call)
        try:
            if isinstance(fault, Answer):
                for _ in self._body():
                    pass
                self._answer(fault)
            else:
                self._forward(fault)
        except (_Gone, OSError, http.client.HTTPException):
            self._reset()

    do_GET = do_HEAD = do_POST  # noqa: N815 - named by http.server

    def _answer(self, response: Answer) -> None:
        body = response.body()
        self.send_response(response.status)
        for name, value in {**response.headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _forward(self, fault: Fault | None) -> None:
        with contextlib.closing(http.client.HTTPConnection(self.proxy.upstream, timeout=TIMEOUT)) as upstream:
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                upstream.putheader(name, value)
            upstream.endheaders()
            sent = 0
            for piece in self._body():
                sent += len(piece)
                if isinstance(fault, Cut) and sent >= fault.after:
                    raise _Gone
                upstream.send(_turned(piece) if isinstance(fault, Garble) and sent == len(piece) else piece)
                if isinstance(fault, Hold) and sent >= fault.after:
                    fault.reached.set()
                    fault.released.wait(TIMEOUT)
            self._pass_back(upstream.getresponse(), fault)

    def _pass_back(self, response: http.client.HTTPResponse, fault: Fault | None) -> None:
        self.send_response_only(response.status, response.reason)
        for name, value in response.getheaders():
            self.send_header(name, value)
        self.end_headers()
        limit = fault.after if isinstance(fault, CutAnswer) else _FOREVER
        sent = 0
        while piece := response.read(min(_PIECE, limit - sent)):
            garbled = isinstance(fault, GarbleAnswer) and sent == 0
            self.wfile.write(_turned(piece) if garbled else piece)
            sent += len(piece)
            if sent >= limit:
                raise _Gone

    def _body(self) -> Iterator[bytes]:
        remaining = int(self.headers.get("Content-Length", "0"))
        while remaining > 0:
            piece = self.rfile.read1(min(_PIECE, remaining))
            if not piece:
                raise _Gone
            remaining -= len(piece)
            self.proxy.count(self.call, len(piece))
            yield piece

    def _reset(self) -> None:
        """A client must not take this for an end."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def log_message(self, *_: object) -> None:
        """Nothing to tell."""


def _turned(piece: bytes) -> bytes:
    return bytes([piece[0] ^ 1]) + piece[1:]


@contextmanager
def faulty_proxy(upstream: str) -> Iterator[FaultyProxy]:
    """A proxy of the emulator at `upstream`, without faults at first."""
    proxy = FaultyProxy(upstream)
    handler = type("Proxy", (_Proxy,), {"proxy": proxy})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        proxy.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()
