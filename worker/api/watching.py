"""Watch jobs change: one poller for the whole process reads every watched job in one query.

So a thousand open streams cost the ledger one statement a second, no connection and no thread each.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import ClassVar
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from worker.errors import AstegniError, Unavailable
from worker.jobs.reading import JobView
from worker.logs import get_logger

_log = get_logger(__name__)

ReadJobs = Callable[[Collection[UUID]], Mapping[UUID, JobView]]


class TooManyRequests(AstegniError):
    """The caller has as many of these open as one may have."""

    code: ClassVar[str] = "too-many-requests"
    title: ClassVar[str] = "Too many requests"
    status: ClassVar[int] = 429
    retryable: ClassVar[bool] = True


class Watch:
    """One stream's view of a job. It holds the latest state only: a slow client misses steps, never the end."""

    def __init__(self, principal: str, seen: JobView) -> None:
        self.principal = principal
        self.job_id = UUID(seen.document["id"])
        self._seq = seen.seq
        self._latest: JobView | None = seen
        self._changed = asyncio.Event()

    def tell(self, latest: JobView | None) -> None:
        """Hand over what the ledger says now; None when the job is no longer there."""
        if latest is None or latest.seq != self._seq:
            self._seq = latest.seq if latest else self._seq
            self._latest = latest
            self._changed.set()

    async def next(self) -> JobView | None:
        """The next state that was not handed out yet; None when the job is gone."""
        await self._changed.wait()
        self._changed.clear()
        return self._latest


class Watchers:
    """The watches of this process. The poller runs while there are any. Use it from the event loop only."""

    def __init__(self, read: ReadJobs, *, interval: float = 1.0, most: int = 1000, most_of_one: int = 20) -> None:
        self._read = read
        self._interval = interval
        self._most = most
        self._most_of_one = most_of_one
        self._watches: set[Watch] = set()
        self._of: Counter[str] = Counter()
        self._poller: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._watches)

    @property
    def polling(self) -> bool:
        """Whether the poller runs."""
        return self._poller is not None and not self._poller.done()

    def watch(self, principal: str, seen: JobView) -> Watch:
        """Begin to watch the job that was `seen`; `release` the watch in the end.

        Raises Unavailable when the process has all the watches it takes, TooManyRequests when this caller has.
        """
        if len(self._watches) >= self._most:
            raise Unavailable("Too many jobs are watched now; ask for the job itself instead.", retry_after=30)
        if self._of[principal] >= self._most_of_one:
            raise TooManyRequests(f"You watch {self._most_of_one} jobs already; close a stream first.", retry_after=30)
        watch = Watch(principal, seen)
        self._watches.add(watch)
        self._of[principal] += 1
        if not self.polling:
            self._poller = asyncio.create_task(self._poll(), name="job-watcher")
        return watch

    def release(self, watch: Watch) -> None:
        """Stop watching; safe to say twice."""
        if watch in self._watches:
            self._watches.remove(watch)
            self._of[watch.principal] -= 1
            if not self._of[watch.principal]:
                del self._of[watch.principal]

    async def close(self) -> None:
        """End every stream and stop the poller."""
        for watch in self._watches:
            watch.tell(None)
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.gather(self._poller, return_exceptions=True)

    async def _poll(self) -> None:
        while self._watches:
            await asyncio.sleep(self._interval)
            watches = set(self._watches)
            try:
                # A thread of its own kind: request threads may all be waiting for a connection.
                found = await asyncio.to_thread(self._read, {watch.job_id for watch in watches})
            except SQLAlchemyError as error:
                # The streams stay: their clients would only come back and find the same.
                _log.warning("job_watcher_failed", error=type(error).__name__)
                continue
            for watch in watches:
                watch.tell(found.get(watch.job_id))
