"""How many uploads one person may have on their way in, and how many bytes those may bring, in this process."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from worker.errors import TooManyRequests

_RETRY_AFTER = 30


class OpenUploads:
    """The uploads that this process is receiving. 0 bounds nothing. Use it from the event loop only.

    One too many waits for so many seconds, unread, before it is refused: mostly one of the others is done by then.
    """

    def __init__(self, most: int, most_bytes: int, *, patience: float = 20.0) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._patience = patience
        self._sizes: defaultdict[str, list[int]] = defaultdict(list)
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def hold(self, principal: str, size: int) -> AsyncIterator[None]:
        """Let an upload of so many bytes in for the block. Raises TooManyRequests."""
        sizes = self._sizes[principal]
        try:
            async with asyncio.timeout(self._patience), self._changed:
                await self._changed.wait_for(lambda: self._fits(sizes, size))
        except TimeoutError as error:
            raise TooManyRequests(
                f"You have {len(sizes)} uploads of {sum(sizes)} bytes open; {self._most} uploads of {self._most_bytes} "
                "bytes in all may be. Wait until one is complete.",
                limit="open-uploads",
                retry_after=_RETRY_AFTER,
            ) from error
        sizes.append(size)
        try:
            yield
        finally:
            sizes.remove(size)
            async with self._changed:
                self._changed.notify_all()

    def _fits(self, sizes: list[int], size: int) -> bool:
        # One is always let in: how large it may be is not said here.
        too_many = 0 < self._most <= len(sizes)
        too_large = 0 < self._most_bytes < sum(sizes) + size
        return not sizes or not (too_many or too_large)
