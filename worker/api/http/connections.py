"""The open connections of a process: how many there may be, and which one a new one may displace."""

import asyncio
from collections import Counter
from ipaddress import ip_address

from worker.api.http.connection_bounds import Bounds
from worker.api.http.waiting_connections import Connection, WaitingConnections
from worker.errors import AstegniError, TooManyRequests, Unavailable
from worker.limits.rates import address_key

_RETRY_AFTER = 10


class Connections:
    """The connections of this process. Use it from the event loop only."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        # By reason, since the process started.
        self.dropped: Counter[str] = Counter()
        self._open: set[Connection] = set()
        self._waiting = WaitingConnections(self._open)
        self._of: Counter[str] = Counter()
        self._sweeper: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, connection: Connection, host: str | None, loop: asyncio.AbstractEventLoop) -> AstegniError | None:
        """Admit a connection: returns None, or the error that refuses it.

        When there is no room, the connection that has waited longest for its client is closed, so that a health check
        or a person gets in despite a thousand connections that send nothing.
        """
        key = address_key(host)
        if self._is_full(key) and not self._waiting.displace(key if self._is_address_full(key) else ""):
            return self._refusal(key)
        connection.key = key
        self._open.add(connection)
        self._of[key] += 1
        if self._sweeper is None:
            self._sweep(loop)
        return None

    def release(self, connection: Connection) -> None:
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

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        for connection in list(self._open):
            connection.drop_if_overdue()
        interval = min(1.0, self.bounds.header_seconds / 4, self.bounds.pause_seconds / 4)
        self._sweeper = loop.call_later(interval, self._sweep, loop) if self._open else None
