"""Which connections wait for their client, and which of them has waited longest."""

import time
from collections import defaultdict, deque
from collections.abc import Collection
from typing import NamedTuple, Protocol

# The waiting connections are listed at most this often, in seconds, while there is no room for new ones.
_LOOK_EVERY = 0.05


class Waiting(NamedTuple):
    """Since when (monotonic clock) a connection has been waiting for its client, and for what."""

    since: float
    reason: str


class Connection(Protocol):
    """An admitted connection. `key` names the address that it counts for."""

    key: str

    def waiting(self) -> Waiting | None:
        """What it waits for its client to do; None while the client waits for us."""

    def drop(self, reason: str) -> None:
        """Close it at once."""

    def drop_if_overdue(self) -> None:
        """Close it if its client has taken too long."""


class WaitingConnections:
    """Those of `connections` that wait for their clients, listed again when the list is old or exhausted."""

    def __init__(self, connections: Collection[Connection]) -> None:
        self._open = connections
        self._longest: dict[str, deque[Connection]] = {}
        self._looked_at = float("-inf")
        self._displaced_since_look = False

    def displace(self, key: str = "") -> bool:
        """Close the one that has waited longest, of this address if a key is passed; returns whether there was one."""
        if self._displace(key):
            return True
        # The list is exhausted. Listing again helps only if this list displaced a connection.
        if self._displaced_since_look:
            self._looked_at = float("-inf")
            return self._displace(key)
        return False

    def _displace(self, key: str) -> bool:
        waiting = self._waiting_longest().get(key, deque())
        while waiting:
            connection = waiting.popleft()
            if connection in self._open and connection.waiting() is not None:
                connection.drop("displaced")
                self._displaced_since_look = True
                return True
        return False

    def _waiting_longest(self) -> dict[str, deque[Connection]]:
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
