"""Uvicorn's protocol with limits: what one connection may send, and how long it may wait for its client.

Uvicorn closes only idle connections: a header that never ends, a body that stops or a response that nobody reads would
occupy its connection and memory for ever.
"""

import asyncio
import sys
import time
from enum import Enum, auto
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from worker.api.http.client_pace import ClientPace
from worker.api.http.closing_response import HeaderTooLarge, MalformedRequest, TooSlow, closing_response
from worker.api.http.connections import Connections
from worker.api.http.waiting_connections import Waiting
from worker.errors import AstegniError

# What a client still sends after the response is discarded, up to this many bytes.
_MAX_DISCARDED = 1 << 20
# Bytes of an incomplete header, or of incomplete trailer fields of a chunked body, that the parser may have to keep.
_MAX_HEAD = 16_384
# Requests that may wait for the response to an earlier one of their connection.
_MAX_PIPELINED = 100


class InvalidRequest(ValueError):
    """The header is complete but not one of HTTP/1.1; the parser reports any error of ours as a malformed request."""


class Reading(Enum):
    """The part of a request that a connection reads next."""

    START = auto()
    HEADER = auto()
    BODY = auto()


class BoundedProtocol(HttpToolsProtocol):
    """Uvicorn's connection, which also records how long it has been waiting for its client."""

    def __init__(self, connections: Connections, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.key = ""
        self._all = connections
        self._admitted = False
        self._pace = ClientPace(connections.bounds)
        self._reading = Reading.START
        self._discarded = 0
        # Bytes that arrived since the parser last passed on a header or a part of a body.
        self._unparsed = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Admit the connection, or send the error and close it."""
        peer = transport.get_extra_info("peername")
        refusal = self._all.admit(self, str(peer[0]) if isinstance(peer, tuple) else None, self.loop)
        if refusal is not None:
            transport.write(closing_response(refusal))
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
        in_body = self._reading is Reading.BODY
        self._pace.receive(len(data), in_body=in_body)
        if not in_body:
            self._discarded = 0
        elif self.cycle.response_complete:
            self._discarded += len(data)
        if self._discarded > _MAX_DISCARDED:
            self.drop("discarded")
            return
        self._unparsed += len(data)
        super().data_received(data)
        if self._unparsed > _MAX_HEAD and not self.transport.is_closing():
            self._refuse(HeaderTooLarge(f"The header or the trailer fields have more than {_MAX_HEAD} bytes."))
        pace = self._pace
        pace.header_at = (pace.header_at or pace.heard_at) if self._is_between_requests else None

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's text says less
        """Refuse what the parser has rejected, and close the connection."""
        cause = getattr(sys.exception(), "__context__", None)
        self._refuse(MalformedRequest(str(cause) if isinstance(cause, InvalidRequest) else "It is not HTTP/1.1."))

    def _refuse(self, error: AstegniError) -> None:
        self.transport.write(closing_response(error))
        self.transport.close()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._reading = Reading.HEADER

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a field of the header; trailer fields of a chunked body are ignored."""
        if self._reading is Reading.HEADER:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start to respond. Raises InvalidRequest (RFC 9112 §3.2: exactly one Host)."""
        hosts = sum(name == b"host" for name, _value in self.headers)
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() == "1.1"):
            raise InvalidRequest("The request needs one field Host.")
        if len(self.pipeline) >= _MAX_PIPELINED:
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
        self._pace.writing_paused_at = time.monotonic()
        super().pause_writing()

    def resume_writing(self) -> None:
        """Record that the client has caught up."""
        self._pace.writing_paused_at = None
        super().resume_writing()

    def waiting(self) -> Waiting | None:
        """What this connection waits for its client to do; None while the client waits for us."""
        pace = self._pace
        if pace.writing_paused_at is not None:
            return Waiting(pace.writing_paused_at, "answer")
        if self._is_between_requests:
            return Waiting(pace.heard_at, "idle") if pace.header_at is None else Waiting(pace.header_at, "header")
        if self._reading is not Reading.BODY or self.cycle.waiting_for_100_continue:
            return None
        if self.flow.read_paused:
            # We have not read yet what the client sent, so this time does not count against it.
            pace.restart()
            return None
        return Waiting(pace.heard_at, "body")

    def drop_if_overdue(self) -> None:
        """Close the connection if its client has taken too long."""
        waits = self.waiting()
        # Uvicorn has a timer for idle connections.
        if waits is not None and waits.reason != "idle" and self._pace.is_overdue(waits):
            self.drop(waits.reason)

    def drop(self, reason: str) -> None:
        """Close the connection at once, with 408 if no response has begun."""
        self._all.dropped[reason] += 1
        self._all.release(self)
        if self.cycle is None or not self.cycle.response_started:
            error = TooSlow("The request was not complete in time; the connection is closed.")
            self.transport.write(closing_response(error))
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self._pace.writing_paused_at is not None:
            self.transport.abort()  # the rest of the response would never be read
        else:
            self.transport.close()

    @property
    def _is_between_requests(self) -> bool:
        """Whether every request was responded to and no further header is complete."""
        return self._reading is not Reading.BODY and (self.cycle is None or self.cycle.response_complete)
