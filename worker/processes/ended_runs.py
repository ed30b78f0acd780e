"""Which runs the children of a worker have ended, readable while its main process reads no messages of theirs."""

import mmap
from hashlib import blake2b

_SIZE = 8


class EndedRuns:
    """Anonymous memory that is inherited by a fork: each child writes which message it has processed last.

    The last one is enough: the main process passes a child its next message only after it has read of the last one's
    end. Make it before the first fork.
    """

    def __init__(self, children: int) -> None:
        # One aligned word for each: it is never read half written.
        self._last = memoryview(mmap.mmap(-1, children * _SIZE)).cast("Q")
        self._slot = 0

    def use_slot(self, number: int) -> None:
        """From now on this process records there; call it after a fork."""
        self._slot = min(number, len(self._last) - 1)

    def record(self, message: str) -> None:
        """Of a child: this message is processed."""
        self._last[self._slot] = _digest(message)

    def __contains__(self, message: str) -> bool:
        return _digest(message) in self._last.tolist()


def _digest(message: str) -> int:
    # Ids are UUIDs, but who can write to the broker may send any text.
    return int.from_bytes(blake2b(message.encode(), digest_size=_SIZE).digest())
