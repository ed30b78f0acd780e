"""How many uploads one person may have on their way in, and how many bytes those may bring, in all processes."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from worker.errors import TooManyRequests
from worker.limits.leases import Bound, Lease, Leases

_RETRY_AFTER = 30
# Another process tells us nothing when one of its uploads is complete.
_ASK_AGAIN = 0.5


class OpenUploads:
    """The uploads on their way in. `most` 0, `most_bytes` 0: as many as they like. Use it from the event loop only.

    One too many waits for so many seconds, unread, before it is refused: mostly one of the others is done by then.
    What this process knows alone needs no statement.
    """

    def __init__(self, leases: Leases, most: int, most_bytes: int, *, patience: float = 20.0) -> None:
        self._leases = leases
        self._bound = Bound("uploads", most, most_bytes)
        self._patience = patience
        self._sizes: defaultdict[str, list[int]] = defaultdict(list)
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def hold(self, principal: str, size: int) -> AsyncIterator[None]:
        """Let an upload of so many bytes in for the block. Raises TooManyRequests."""
        lease = await self._admit(principal, size)
        try:
            yield
        finally:
            self._leases.give_back(lease)
            await self._leave(principal, size)

    async def _admit(self, principal: str, size: int) -> Lease:
        time = asyncio.get_running_loop().time
        deadline = time() + self._patience
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
        """A lease of an upload that has entered; without one it leaves."""
        lease = None
        try:
            lease = await self._leases.take(self._bound, principal, size)
        finally:
            if lease is None:
                await self._leave(principal, size)
        return lease

    async def _enter(self, principal: str, size: int, deadline: float) -> bool:
        """Wait until the upload fits beside those of this process; False when it does not before `deadline`."""
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
