"""What is open at this moment (uploads in progress, streams), counted across all processes.

Each is a row with a lease. The process that has it open renews the lease; that of a killed process expires and no
longer counts. The table is UNLOGGED: rows lost in a crash of the server return with the next renewal.
"""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from uuid import UUID, uuid4

from sqlalchemy import text

from worker.database import AWAY, Database, Executor
from worker.logs import get_logger

_log = get_logger(__name__)

# The leases of a killed process expire after at most this long; a live one misses two renewals before that.
LEASE_SECONDS = 45.0
_PAUSE_AFTER_ERROR = 1.0

# A concurrent take for the same person waits here until the transaction that counted first has ended.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name || ' ' || :who, 0))")
# Own leases that were given back a moment ago may still have their rows.
_COUNT = text(
    """
    SELECT count(*) AS number, coalesce(sum(size), 0)::bigint AS size FROM limit_leases
     WHERE name = :name AND who = :who AND expires_at > clock_timestamp() AND NOT id = ANY(CAST(:given_back AS uuid[]))
    """
)
_KEEP = text(
    """
    INSERT INTO limit_leases AS lease (id, name, who, size, expires_at)
    SELECT kept.*, clock_timestamp() + make_interval(secs => :seconds)
      FROM unnest(CAST(:ids AS uuid[]), CAST(:names AS text[]), CAST(:whos AS text[]), CAST(:sizes AS bigint[])) AS kept
    ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at
    """
)
_DELETE = text("DELETE FROM limit_leases WHERE id = ANY(CAST(:ids AS uuid[]))")
_PRUNE = text(
    """
    DELETE FROM limit_leases
     WHERE id IN (SELECT id FROM limit_leases WHERE expires_at < clock_timestamp() FOR UPDATE SKIP LOCKED)
    """
)


@dataclass(frozen=True)
class Bound:
    """How many of `name` one person may have open, and of how many bytes in all; 0: unlimited."""

    name: str
    most: int
    most_bytes: int = 0

    def fits(self, number: int, total: int, size: int) -> bool:
        """Whether one of `size` bytes fits beside `number` of `total` bytes. The first one always does."""
        too_many = 0 < self.most <= number
        too_large = 0 < self.most_bytes < total + size
        return number == 0 or not (too_many or too_large)


@dataclass(frozen=True)
class Lease:
    """One open upload or stream of a person."""

    name: str
    who: str
    size: int
    id: UUID = field(default_factory=uuid4)


class Leases:
    """The leases of this process. Call it from the event loop only."""

    def __init__(self, database: Database, *, seconds: float = LEASE_SECONDS) -> None:
        self._database = database
        self._seconds = seconds
        self._held: dict[UUID, Lease] = {}
        self._given_back: set[UUID] = set()
        self._keeper: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    async def take(self, bound: Bound, who: str, size: int = 0) -> Lease | None:
        """A lease of `who`, to be given back in the end; None when they have the maximum open."""
        lease = Lease(bound.name, who, size)
        if not bound.most and not bound.most_bytes:
            return lease
        try:
            granted = await asyncio.to_thread(self._take, bound, lease, list(self._given_back))
        except BaseException:
            # Cancelled, or the connection was lost: the row may have been written all the same.
            self._forget(lease)
            raise
        if not granted:
            return None
        self._held[lease.id] = lease
        self._start_keeper()
        return lease

    def give_back(self, lease: Lease) -> None:
        """It is closed; idempotent. This process stops counting it now, the others in a moment."""
        if self._held.pop(lease.id, None) is not None:
            self._forget(lease)

    async def close(self) -> None:
        """Give back everything and stop."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None and not keeper.done():
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
        left = [*self._held, *self._given_back]
        self._held.clear()
        self._given_back.clear()
        if left:
            # While the database is unavailable the leases expire.
            with suppress(*AWAY):
                await asyncio.to_thread(self._delete, left)

    def _take(self, bound: Bound, lease: Lease, given_back: Collection[UUID]) -> bool:
        values = {"name": lease.name, "who": lease.who}
        with self._database.transaction() as session:
            session.execute(_LOCK, values)
            row = session.execute(_COUNT, values | {"given_back": given_back}).one()
            if not bound.fits(row.number, row.size, lease.size):
                return False
            _keep(session, [lease], self._seconds)
            return True

    def _forget(self, lease: Lease) -> None:
        self._given_back.add(lease.id)
        self._changed.set()
        self._start_keeper()

    def _start_keeper(self) -> None:
        if self._keeper is None or self._keeper.done():
            self._keeper = asyncio.create_task(self._keep_all(), name="leases")

    async def _keep_all(self) -> None:
        renew_at = monotonic() + self._seconds / 3
        while self._held or self._given_back:
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, renew_at - monotonic())):
                    await self._changed.wait()
            self._changed.clear()
            try:
                if monotonic() >= renew_at:
                    renew_at = monotonic() + self._seconds / 3
                    await asyncio.to_thread(self._renew, list(self._held.values()))
                await self._delete_given_back()
            except AWAY as error:
                _log.warning("leases_not_kept", error=type(error).__name__)
                renew_at = monotonic() + _PAUSE_AFTER_ERROR

    async def _delete_given_back(self) -> None:
        # A lease renewed at the moment it was given back has its row again, so this comes after.
        given_back = set(self._given_back)
        if given_back:
            await asyncio.to_thread(self._delete, given_back)
            self._given_back -= given_back

    def _renew(self, leases: Collection[Lease]) -> None:
        with self._database.transaction() as session:
            _keep(session, leases, self._seconds)

    def _delete(self, ids: Collection[UUID]) -> None:
        with self._database.transaction() as session:
            session.execute(_DELETE, {"ids": list(ids)})


def prune_leases(executor: Executor) -> None:
    """Delete the rows of processes that have ended."""
    executor.execute(_PRUNE, {})


def _keep(executor: Executor, leases: Collection[Lease], seconds: float) -> None:
    values = {
        "ids": [lease.id for lease in leases],
        "names": [lease.name for lease in leases],
        "whos": [lease.who for lease in leases],
        "sizes": [lease.size for lease in leases],
    }
    executor.execute(_KEEP, values | {"seconds": seconds})
