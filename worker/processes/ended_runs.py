"""Which runs a worker's children have ended, known even while the main process reads no messages from them."""

import mmap
from hashlib import blake2b

_SIZE = 8


class EndedRuns:
    """Anonymous memory that forks inherit, in which each child records the last message that it has processed.

    The last one is enough: the main process sends a child its next message only after reading that the previous one
    ended. Create it before the first fork.
    """

    def __init__(self, children: int) -> None:
        # One aligned word for each: a reader never sees a partly written value.
        self._last = memoryview(mmap.mmap(-1, children * _SIZE)).cast("Q")
        self._slot = 0

    def use_slot(self, number: int) -> None:
        """Record to this slot from now on; called in a child after its fork."""
        self._slot = min(number, len(self._last) - 1)

    def record(self, message: str) -> None:
        """Record that this message is processed; called in a child."""
        self._last[self._slot] = _digest(message)

    def __contains__(self, message: str) -> bool:
        return _digest(message) in self._last.tolist()


def _digest(message: str) -> int:
    # Ids are UUIDs, but anyone who can write to the broker may send any text.
    return int.from_bytes(blake2b(message.encode(), digest_size=_SIZE).digest())
