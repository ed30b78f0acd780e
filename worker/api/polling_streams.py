"""Watch things change: one poller for the whole process reads all that is watched, in a query or two.

So a thousand open streams cost the database some statements a second, no connection and no thread each. A stream ends
with the right to it: when its token expires, and when its account or a profile of its token is not active any more.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection
from typing import Generic, TypeVar

from fastapi.sse import EventSourceResponse
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.types import Receive, Scope, Send

from worker import clock
from worker.access.callers import Caller, UserCaller
from worker.access.people import still_valid
from worker.database import Database
from worker.errors import TooManyRequests, Unavailable
from worker.limits.leases import Bound, Lease, Leases
from worker.logs import get_logger

_log = get_logger(__name__)

# Milliseconds until a browser comes back after a lost connection.
RETRY = 3000
# Seconds of silence after which proxies and phones begin to doubt a connection.
_PING = 15.0
# `no-store`: a stream kept by a cache would be replayed as the present. nginx would hold events back otherwise.
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Watch:
    """One stream's view of what it watches, on behalf of `caller`."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.principal = caller.principal
        self.ended = False
        self._changed = asyncio.Event()

    def stir(self) -> None:
        """There is something to send."""
        self._changed.set()

    def end(self) -> None:
        """Nothing more will come: let the stream end."""
        self.ended = True
        self.stir()

    async def changed(self) -> bool:
        """Wait until it was stirred; False after a while without, when a sign of life is due."""
        try:
            async with asyncio.timeout(_PING):
                await self._changed.wait()
        except TimeoutError:
            return False
        self._changed.clear()
        return True


W = TypeVar("W", bound=Watch)
Tell = Callable[[], None]
# Asks the database, in a thread, on behalf of these watches; the call that it answers tells them, in the event loop.
Read = Callable[[Session, Collection[W]], Tell]


class Watchers(Generic[W]):
    """The watches of this process. The poller runs while there are any. Use it from the event loop only."""

    def __init__(
        self,
        database: Database,
        read: Read[W],
        leases: Leases,
        bound: Bound,
        *,
        interval: float = 1.0,
        most: int = 1000,
    ) -> None:
        self._database = database
        self._read = read
        self._interval = interval
        self._most = most
        self._leases = leases
        self._bound = bound
        # The oldest first.
        self._watches: dict[W, Lease] = {}
        self._of: Counter[str] = Counter()
        self._poller: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._watches)

    @property
    def polling(self) -> bool:
        """Whether the poller runs."""
        return self._poller is not None and not self._poller.done()

    async def add(self, watch: W) -> None:
        """Begin to watch; `release` it in the end.

        When the process has all the watches it takes, the oldest of whoever has the most ends, so that nobody with
        fewer is kept out. Raises TooManyRequests when the principal has all one may have at all processes together,
        Unavailable when all have as many as they.
        """
        # What this process knows alone needs no statement.
        full = self._of[watch.principal] >= self._bound.most > 0
        lease = None if full else await self._leases.take(self._bound, watch.principal)
        if lease is None:
            raise TooManyRequests(
                f"You have {self._bound.most} streams open; close one first.", limit="event-streams", retry_after=30
            )
        if len(self._watches) >= self._most and not self._make_room(watch.principal):
            self._leases.give_back(lease)
            raise Unavailable("Too many streams are open now; ask without following instead.", retry_after=30)
        self._watches[watch] = lease
        self._of[watch.principal] += 1
        if not self.polling:
            self._poller = asyncio.create_task(self._poll(), name="watcher")

    def release(self, watch: W) -> None:
        """Stop watching; safe to say twice."""
        if watch in self._watches:
            self._leases.give_back(self._watches.pop(watch))
            self._of[watch.principal] -= 1
            if not self._of[watch.principal]:
                del self._of[watch.principal]

    def _make_room(self, principal: str) -> bool:
        """End a stream of the person who has the most, unless that leaves them fewer than `principal` will have."""
        richest, number = self._of.most_common(1)[0]
        if number <= self._of[principal] + 1:
            return False
        oldest = next(watch for watch in self._watches if watch.principal == richest)
        oldest.end()
        self.release(oldest)
        return True

    async def close(self) -> None:
        """End every stream and stop the poller."""
        for watch in self._watches:
            watch.end()
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.gather(self._poller, return_exceptions=True)

    async def _poll(self) -> None:
        while self._watches:
            await asyncio.sleep(self._interval)
            self._end_expired()
            try:
                # A thread of its own kind: request threads may all be waiting for a connection.
                tell = await asyncio.to_thread(self._look, set(self._watches))
            except SQLAlchemyError as error:
                # The streams stay: their clients would only come back and find the same.
                _log.warning("watcher_failed", error=type(error).__name__)
                continue
            tell()

    def _end_expired(self) -> None:
        """Whatever the database does: a token's end needs no query."""
        now = clock.now().timestamp()
        for watch in self._watches:
            if watch.caller.expires_at is not None and watch.caller.expires_at <= now:
                watch.end()

    def _look(self, watches: Collection[W]) -> Tell:
        with self._database.transaction() as session:
            users = {watch.caller for watch in watches if isinstance(watch.caller, UserCaller)}
            gone = users - still_valid(session, users)
            lost = [watch for watch in watches if watch.caller in gone]
            tell = self._read(session, [watch for watch in watches if watch.caller not in gone])

        def end_and_tell() -> None:
            for watch in lost:
                watch.end()
            tell()

        return end_and_tell


class WatchedEvents(EventSourceResponse, Generic[W]):
    """The events of a watch that was added to `watchers`; however the stream ends, the watch is released."""

    def __init__(self, watchers: Watchers[W], watch: W, events: AsyncIterator[bytes]) -> None:
        super().__init__(events, headers=_HEADERS)
        self._watchers = watchers
        self._watch = watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._watchers.release(self._watch)
