"""Server-sent events by polling: one poller per process reads the data of all subscriptions in one or two queries.

A thousand open streams cost the database a few statements a second, but no connection or thread each. A stream ends
when its caller loses access: the token expires, or the account or a profile of the token is deactivated, also on the
platform, where all callers are read at most every 10 seconds with one query.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection
from typing import Generic, TypeVar

from sqlalchemy.orm import Session

from worker import clock
from worker.access.callers import UserCaller
from worker.access.people import still_valid
from worker.api.http.subscription import Subscription
from worker.database import Database
from worker.errors import TooManyRequests, Unavailable
from worker.limits.lease_rows import Bound, Lease
from worker.limits.leases import Leases
from worker.logs import get_logger
from worker.workflows.people.renew_people import RENEWAL

_log = get_logger(__name__)

# Milliseconds until a browser reconnects after losing the connection.
RETRY = 3000


W = TypeVar("W", bound=Subscription)
Renew = Callable[[Collection[int]], Collection[int]]
Publish = Callable[[], None]
# Queries the database in a thread; the function it returns passes the rows to the subscriptions, in the event loop.
Read = Callable[[Session, Collection[W]], Publish]


class Subscriptions(Generic[W]):
    """The open streams of one kind in this process. The poller runs while there are any. Event loop only."""

    def __init__(
        self,
        database: Database,
        read: Read[W],
        leases: Leases,
        bound: Bound,
        *,
        renew: Renew = lambda _user_ids: (),
        interval: float = 1.0,
        most: int = 1000,
    ) -> None:
        self._database = database
        self._read = read
        self._interval = interval
        self._most = most
        self._leases = leases
        self._bound = bound
        self._renew = renew
        self._renewed = -RENEWAL.total_seconds()
        # In order of age, oldest first.
        self._open: dict[W, Lease] = {}
        self._of: Counter[str] = Counter()
        self._poller: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._open)

    @property
    def polling(self) -> bool:
        """Whether the poller runs."""
        return self._poller is not None and not self._poller.done()

    async def add(self, subscription: W) -> None:
        """Register a stream; the caller must `release` it.

        At the limit of the process, the oldest stream of the principal with the most streams is ended to make room.
        Raises TooManyRequests at the principal's limit over all processes, Unavailable when nobody has more streams
        than this principal would have.
        """
        # This process's own count may already suffice, without a statement.
        full = self._of[subscription.principal] >= self._bound.most > 0
        lease = None if full else await self._leases.take(self._bound, subscription.principal)
        if lease is None:
            raise TooManyRequests(
                f"You have {self._bound.most} streams open; close one first.", limit="event-streams", retry_after=30
            )
        if len(self._open) >= self._most and not self._make_room(subscription.principal):
            self._leases.give_back(lease)
            raise Unavailable("Too many streams are open now; ask without following instead.", retry_after=30)
        self._open[subscription] = lease
        self._of[subscription.principal] += 1
        if not self.polling:
            self._poller = asyncio.create_task(self._poll(), name="stream-poller")

    def release(self, subscription: W) -> None:
        """Remove a stream. Idempotent."""
        if subscription in self._open:
            self._leases.give_back(self._open.pop(subscription))
            self._of[subscription.principal] -= 1
            if not self._of[subscription.principal]:
                del self._of[subscription.principal]

    def _make_room(self, principal: str) -> bool:
        """End a stream of the person who has the most, unless that leaves them fewer than `principal` will have."""
        richest, number = self._of.most_common(1)[0]
        if number <= self._of[principal] + 1:
            return False
        oldest = next(subscription for subscription in self._open if subscription.principal == richest)
        oldest.end()
        self.release(oldest)
        return True

    async def close(self) -> None:
        """End every stream and stop the poller."""
        for subscription in self._open:
            subscription.end()
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.gather(self._poller, return_exceptions=True)

    async def _poll(self) -> None:
        while self._open:
            await asyncio.sleep(self._interval)
            self._end_expired()
            try:
                # Not in a request thread: all of those may be waiting for a connection.
                publish = await asyncio.to_thread(self._read_updates, set(self._open))
                publish()
            except Exception as error:  # noqa: BLE001 - all streams of the process depend on this task
                # The streams stay open: clients would only reconnect to the same outage.
                _log.warning("stream_poll_failed", error=type(error).__name__)

    def _end_expired(self) -> None:
        """End streams whose token has expired. Needs no query, so it works while the database is down."""
        now = clock.now().timestamp()
        for subscription in self._open:
            if subscription.caller.expires_at is not None and subscription.caller.expires_at <= now:
                subscription.end()

    def _read_updates(self, subscriptions: Collection[W]) -> Publish:
        users = {subscription.caller for subscription in subscriptions if isinstance(subscription.caller, UserCaller)}
        unconfirmed = self._unconfirmed(users)
        with self._database.transaction() as session:
            invalid = (users - still_valid(session, users)) | unconfirmed
            lost = [subscription for subscription in subscriptions if subscription.caller in invalid]
            publish = self._read(
                session, [subscription for subscription in subscriptions if subscription.caller not in invalid]
            )

        def end_and_publish() -> None:
            for subscription in lost:
                subscription.end()
            publish()

        return end_and_publish

    def _unconfirmed(self, users: Collection[UserCaller]) -> set[UserCaller]:
        """Renew people from the platform, once in RENEWAL; returns those that it could not confirm for too long."""
        if time.monotonic() - self._renewed < RENEWAL.total_seconds():
            return set()
        self._renewed = time.monotonic()
        expired = self._renew({user.user_id for user in users})
        return {user for user in users if user.user_id in expired}
