"""One open stream: who follows it, and when there is something to send."""

import asyncio

from worker.access.callers import Caller

# Seconds without data after which a keepalive is sent, before proxies and phones consider the connection dead.
_PING = 15.0


class Subscription:
    """One open stream of `caller`: what it follows, and whether there is something to send."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.principal = caller.principal
        self.ended = False
        self._changed = asyncio.Event()

    def notify(self) -> None:
        """Wake the stream: there is something to send."""
        self._changed.set()

    def end(self) -> None:
        """End the stream: nothing more will come."""
        self.ended = True
        self.notify()

    async def changed(self) -> bool:
        """Wait until notified; False after `_PING` seconds without, when a keepalive comment is due."""
        try:
            async with asyncio.timeout(_PING):
                await self._changed.wait()
        except TimeoutError:
            return False
        self._changed.clear()
        return True
