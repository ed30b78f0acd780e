"""What is open at this moment (uploads in progress, streams), counted across all processes.

Each is a row with a lease. The process that has it open renews the lease; that of a killed process expires and no
longer counts. The table is UNLOGGED: rows lost in a crash of the server return with the next renewal.
"""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from time import monotonic
from uuid import UUID

from worker.database import DATABASE_UNAVAILABLE, Database
from worker.limits.lease_rows import Bound, Lease, delete_leases, lock_and_check, renew_leases
from worker.logs import get_logger

_log = get_logger(__name__)

# The leases of a killed process expire after at most this long. A live one would have to miss two renewals before that.
LEASE_SECONDS = 45.0
_PAUSE_AFTER_ERROR = 1.0


class Leases:
    """The leases of this process. Call it from the event loop only."""

    def __init__(self, database: Database, *, seconds: float = LEASE_SECONDS) -> None:
        self._database = database
        self._seconds = seconds
        self._held: dict[UUID, Lease] = {}
        self._given_back: set[UUID] = set()
        self._renewal: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    async def take(self, bound: Bound, who: str, size: int = 0) -> Lease | None:
        """Take a lease for `who`, to be given back in the end; None when they have the maximum open."""
        lease = Lease(bound.name, who, size)
        if not bound.most and not bound.most_bytes:
            return lease
        try:
            granted = await asyncio.to_thread(self._take, bound, lease, list(self._given_back))
        except BaseException:
            # Cancelled, or the connection was lost: the row may have been written nevertheless.
            self._forget(lease)
            raise
        if not granted:
            return None
        self._held[lease.id] = lease
        self._start_renewal()
        return lease

    def give_back(self, lease: Lease) -> None:
        """Give back a closed lease; idempotent. This process stops counting it now, the others a moment later."""
        if self._held.pop(lease.id, None) is not None:
            self._forget(lease)

    async def close(self) -> None:
        """Give back all leases and stop."""
        renewal, self._renewal = self._renewal, None
        if renewal is not None and not renewal.done():
            renewal.cancel()
            await asyncio.gather(renewal, return_exceptions=True)
        left = [*self._held, *self._given_back]
        self._held.clear()
        self._given_back.clear()
        if left:
            # If the database is unavailable, the leases expire.
            with suppress(*DATABASE_UNAVAILABLE):
                await asyncio.to_thread(self._delete, left)

    def _take(self, bound: Bound, lease: Lease, given_back: Collection[UUID]) -> bool:
        with self._database.transaction() as session:
            if not lock_and_check(session, bound, lease, given_back):
                return False
            renew_leases(session, [lease], self._seconds)
            return True

    def _forget(self, lease: Lease) -> None:
        self._given_back.add(lease.id)
        self._changed.set()
        self._start_renewal()

    def _start_renewal(self) -> None:
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(self._renew_all(), name="leases")

    async def _renew_all(self) -> None:
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
            except DATABASE_UNAVAILABLE as error:
                _log.warning("leases_not_kept", error=type(error).__name__)
                renew_at = monotonic() + _PAUSE_AFTER_ERROR

    async def _delete_given_back(self) -> None:
        # After the renewal, which may have inserted the row of a lease that was given back meanwhile.
        given_back = set(self._given_back)
        if given_back:
            await asyncio.to_thread(self._delete, given_back)
            self._given_back -= given_back

    def _renew(self, leases: Collection[Lease]) -> None:
        with self._database.transaction() as session:
            renew_leases(session, leases, self._seconds)

    def _delete(self, ids: Collection[UUID]) -> None:
        with self._database.transaction() as session:
            delete_leases(session, ids)
