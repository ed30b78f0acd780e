"""Limit the number of connections, and how long each may wait for its client.

Uvicorn closes only idle connections: a header that never ends, a body that stops or a response that nobody reads would
occupy its connection and memory for ever.
"""

import asyncio
import json
import time
from collections import Counter, defaultdict, deque
from enum import Enum, auto
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any, NamedTuple

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from worker.api.http.connection_bounds import Bounds
from worker.errors import AstegniError, TooManyRequests, Unavailable
from worker.limits.rates import address_key

# What a client still sends after the response is discarded, up to this many bytes.
_MOST_DISCARDED = 1 << 20
# Bytes of an incomplete header, or of incomplete fields behind a chunked body, that the parser may have to keep.
_MOST_HEAD = 16_384
# Requests that may wait for the response to an earlier one of their connection.
_MOST_PIPELINED = 100
# While there is no room for new connections, the waiting ones are listed at most this often, in seconds.
_LOOK_EVERY = 0.05
_RETRY_AFTER = 10


class TooSlow(AstegniError):
    """The client has sent too little for too long."""

    code, title, status, retryable = "too-slow", "Request timeout", 408, True


class Waiting(NamedTuple):
    """Since when (loop time) a connection has been waiting for its client, and for what."""

    since: float
    reason: str


class InvalidRequest(ValueError):
    """The header is complete but not one of HTTP/1.1; the parser reports any error of ours as a malformed request."""


class Reading(Enum):
    """The part of a request that a connection reads next."""

    START = auto()
    HEADER = auto()
    BODY = auto()


class Connections:
    """The connections of this process. Use it from the event loop only."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        # By reason, since the process started.
        self.dropped: Counter[str] = Counter()
        self._open: set[BoundedProtocol] = set()
        self._of: Counter[str] = Counter()
        self._longest: dict[str, deque[BoundedProtocol]] = {}
        self._looked_at = float("-inf")
        self._displaced_since_look = False
        self._sweeper: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._open)

    def protocol(self, *args: Any, **more: Any) -> "BoundedProtocol":
        """Create the protocol of a new connection, with uvicorn's arguments."""
        return BoundedProtocol(self, *args, **more)

    def admit(self, connection: "BoundedProtocol", host: str | None) -> AstegniError | None:
        """Admit a connection: returns None, or the error that refuses it.

        When there is no room, the connection that has waited longest for its client is closed, so that a health check
        or a person gets in despite a thousand connections that send nothing.
        """
        key = address_key(host)
        if self._is_full(key) and not self._make_room(key):
            return self._refusal(key)
        connection.key = key
        self._open.add(connection)
        self._of[key] += 1
        if self._sweeper is None:
            self._sweep(connection.loop)
        return None

    def release(self, connection: "BoundedProtocol") -> None:
        """Stop counting a connection that has closed."""
        if connection in self._open:
            self._open.remove(connection)
            self._of[connection.key] -= 1
            if not self._of[connection.key]:
                del self._of[connection.key]

    def _is_full(self, key: str) -> bool:
        return len(self._open) >= self.bounds.most or self._is_address_full(key)

    def _is_address_full(self, key: str) -> bool:
        return self._of[key] >= self.bounds.most_of_address > 0 and not self._is_trusted(key)

    def _is_trusted(self, key: str) -> bool:
        host = key.removeprefix("address:").removesuffix("/64")
        return host != "unknown" and any(ip_address(host) in network for network in self.bounds.trusted)

    def _refusal(self, key: str) -> AstegniError:
        self.dropped["refused"] += 1
        if self._is_address_full(key):
            most = self.bounds.most_of_address
            return TooManyRequests(f"Your address has {most} connections open.", retry_after=_RETRY_AFTER)
        return Unavailable("Too many connections are open.", retry_after=_RETRY_AFTER)

    def _make_room(self, key: str) -> bool:
        name = key if self._is_address_full(key) else ""
        if self._displace(name):
            return True
        # The list is exhausted. Listing again helps only if this list displaced a connection.
        if self._displaced_since_look:
            self._looked_at = float("-inf")
            return self._displace(name)
        return False

    def _displace(self, name: str) -> bool:
        waiting = self._waiting_longest().get(name, deque())
        while waiting:
            connection = waiting.popleft()
            if connection in self._open and connection.waiting() is not None:
                connection.drop("displaced")
                self._displaced_since_look = True
                return True
        return False

    def _waiting_longest(self) -> dict[str, "deque[BoundedProtocol]"]:
        """Connections waiting for their clients, longest first: by address, and all of them under the key ""."""
        now = time.monotonic()
        if now - self._looked_at >= _LOOK_EVERY:
            self._looked_at, self._displaced_since_look = now, False
            waits = [
                (wait.since, connection) for connection in self._open if (wait := connection.waiting()) is not None
            ]
            self._longest = defaultdict(deque)
            for _since, connection in sorted(waits, key=lambda pair: pair[0]):
                self._longest[""].append(connection)
                self._longest[connection.key].append(connection)
        return self._longest

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        for connection in list(self._open):
            connection.drop_if_overdue()
        interval = min(1.0, self.bounds.header_seconds / 4, self.bounds.pause_seconds / 4)
        self._sweeper = loop.call_later(interval, self._sweep, loop) if self._open else None


class BoundedProtocol(HttpToolsProtocol):
    """Uvicorn's connection, which also records how long it has been waiting for its client."""

    def __init__(self, connections: Connections, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.key = ""
        self._all = connections
        self._admitted = False
        # When the last byte arrived, when an incomplete header began, and the current window of a body.
        self._heard_at = self._window_at = time.monotonic()
        self._header_at: float | None = self._heard_at
        self._window_bytes = self._discarded = 0
        self._reading = Reading.START
        # Bytes that arrived since the parser last passed on a header or a part of a body.
        self._unparsed = 0
        self._writing_paused_at: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Admit the connection, or send the error and close it."""
        peer = transport.get_extra_info("peername")
        refusal = self._all.admit(self, str(peer[0]) if isinstance(peer, tuple) else None)
        if refusal is not None:
            transport.write(_answer(refusal))
            transport.close()
            return
        self._admitted = True
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop counting the connection."""
        if self._admitted:
            self._all.release(self)
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Record when the data arrived, then parse it."""
        if not self._admitted or self.transport.is_closing():
            return
        self._heard_at = time.monotonic()
        if self._reading is not Reading.BODY:
            self._window_at, self._window_bytes, self._discarded = self._heard_at, 0, 0
        elif self.cycle.response_complete:
            self._discarded += len(data)
        self._window_bytes += len(data)
        if self._discarded > _MOST_DISCARDED:
            self.drop("discarded")
            return
        self._unparsed += len(data)
        super().data_received(data)
        if self._unparsed > _MOST_HEAD and not self.transport.is_closing():
            self.send_400_response("The header of the request is too long.")
        self._header_at = (self._header_at or self._heard_at) if self._is_between_requests else None

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._reading = Reading.HEADER

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a field of the header; those behind a chunked body are ignored."""
        if self._reading is Reading.HEADER:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start to respond. Raises InvalidRequest (RFC 9112 §3.2: exactly one Host)."""
        hosts = sum(name == b"host" for name, _value in self.headers)
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() == "1.1"):
            raise InvalidRequest("The request needs one field Host.")
        if len(self.pipeline) >= _MOST_PIPELINED:
            raise InvalidRequest("Too many requests are waiting for a response to an earlier one.")
        self._reading, self._unparsed = Reading.BODY, 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body for the request."""
        self._unparsed = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is complete."""
        self._reading, self._unparsed = Reading.START, 0
        super().on_message_complete()

    def pause_writing(self) -> None:
        """Record that the client reads more slowly than we write."""
        self._writing_paused_at = time.monotonic()
        super().pause_writing()

    def resume_writing(self) -> None:
        """Record that the client has caught up."""
        self._writing_paused_at = None
        super().resume_writing()

    def waiting(self) -> Waiting | None:
        """What this connection waits for its client to do; None while the client waits for us."""
        if self._writing_paused_at is not None:
            return Waiting(self._writing_paused_at, "answer")
        if self._is_between_requests:
            return Waiting(self._heard_at, "idle") if self._header_at is None else Waiting(self._header_at, "header")
        if self._reading is not Reading.BODY or self.cycle.waiting_for_100_continue:
            return None
        if self.flow.read_paused:
            # We have not read yet what the client sent, so this time does not count against it.
            self._heard_at = self._window_at = time.monotonic()
            self._window_bytes = 0
            return None
        return Waiting(self._heard_at, "body")

    def drop_if_overdue(self) -> None:
        """Close the connection if its client has taken too long."""
        waits = self.waiting()
        if waits is None or waits.reason == "idle":  # uvicorn has a timer for these
            return
        bounds, now = self._all.bounds, time.monotonic()
        longest = bounds.header_seconds if waits.reason == "header" else bounds.pause_seconds
        if now - waits.since > longest or (waits.reason == "body" and self._is_below_rate(now)):
            self.drop(waits.reason)

    def drop(self, reason: str) -> None:
        """Close the connection at once, with 408 if no response has begun."""
        self._all.dropped[reason] += 1
        self._all.release(self)
        if self.cycle is None or not self.cycle.response_started:
            self.transport.write(_answer(TooSlow("The request was not complete in time; the connection is closed.")))
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self._writing_paused_at is not None:
            self.transport.abort()  # the rest of the response would never be read
        else:
            self.transport.close()

    @property
    def _is_between_requests(self) -> bool:
        """Whether every request was responded to and no further header is complete."""
        return self._reading is not Reading.BODY and (self.cycle is None or self.cycle.response_complete)

    def _is_below_rate(self, now: float) -> bool:
        if now - self._window_at < self._all.bounds.pause_seconds:
            return False
        slow = self._window_bytes < self._all.bounds.least_rate * (now - self._window_at)
        self._window_at, self._window_bytes = now, 0
        return slow


def _answer(error: AstegniError) -> bytes:
    body = json.dumps(error.problem()).encode()
    retry = f"Retry-After: {error.members['retry_after']}\r\n" if "retry_after" in error.members else ""
    head = (
        f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}\r\nContent-Type: application/problem+json\r\n"
        f"{retry}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
