"""Limits on one person's concurrent uploads, in number and in bytes, over all processes."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from worker.errors import TooManyRequests
from worker.limits.lease_rows import Bound, Lease
from worker.limits.leases import Leases

_RETRY_AFTER = 30
# Other processes do not notify this one when an upload ends.
_ASK_AGAIN = 0.5


class OpenUploads:
    """The open uploads. `most` 0, `most_bytes` 0: unlimited. Use it from the event loop only.

    An upload too many waits, unread, for some seconds before it is rejected: usually another one has ended by then.
    What this process can decide alone needs no statement.
    """

    def __init__(self, leases: Leases, most: int, most_bytes: int, *, timeout: float = 20.0) -> None:
        self._leases = leases
        self._bound = Bound("uploads", most, most_bytes)
        self._timeout = timeout
        self._sizes: defaultdict[str, list[int]] = defaultdict(list)
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def hold(self, principal: str, size: int) -> AsyncIterator[None]:
        """Admit an upload of `size` bytes for the duration of the block. Raises TooManyRequests."""
        lease = await self._admit(principal, size)
        try:
            yield
        finally:
            self._leases.give_back(lease)
            await self._leave(principal, size)

    async def _admit(self, principal: str, size: int) -> Lease:
        time = asyncio.get_running_loop().time
        deadline = time() + self._timeout
        while await self._enter(principal, size, deadline):
            lease = await self._lease(principal, size)
            if lease is not None:
                return lease
            if time() >= deadline:
                break
            await asyncio.sleep(_ASK_AGAIN)
        raise TooManyRequests(
            f"You have as many uploads open as you may: {self._bound.most}, of {self._bound.most_bytes} bytes in all. "
            "Wait until one is complete.",
            limit="open-uploads",
            retry_after=_RETRY_AFTER,
        )

    async def _lease(self, principal: str, size: int) -> Lease | None:
        """A lease for an admitted upload; None if it is not admitted."""
        lease = None
        try:
            lease = await self._leases.take(self._bound, principal, size)
        finally:
            if lease is None:
                await self._leave(principal, size)
        return lease

    async def _enter(self, principal: str, size: int, deadline: float) -> bool:
        """Wait until the upload fits in addition to those of this process; returns False at `deadline`."""
        sizes = self._sizes[principal]
        try:
            async with asyncio.timeout_at(deadline), self._changed:
                await self._changed.wait_for(lambda: self._bound.fits(len(sizes), sum(sizes), size))
        except TimeoutError:
            return False
        sizes.append(size)
        return True

    async def _leave(self, principal: str, size: int) -> None:
        self._sizes[principal].remove(size)
        async with self._changed:
            self._changed.notify_all()
