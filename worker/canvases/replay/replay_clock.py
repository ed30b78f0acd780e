"""The clock of a replay: it runs with the one on the wall, but for idle time that is shortened."""

import bisect
from collections.abc import Iterable, Sequence
from itertools import pairwise

# Time in which nothing happens is shortened to this on request.
_IDLE_MS = 3000
# The empty board is seen before the first stroke, the finished one after the last.
LEAD_MS, _TAIL_MS = 1000, 2000

Stretch = tuple[int, int]


class ReplayClock:
    """Milliseconds since 1970 become milliseconds of the film; it begins `LEAD_MS` before anything happens."""

    def __init__(self, busy: Sequence[tuple[int, int]], *, shorten_idle: bool) -> None:
        """`busy` are the stretches in which something changes, at least one, in order and apart."""
        self._starts = [start for start, _end in busy]
        self._cut = [0]
        for (_, end), (start, _) in pairwise(busy):
            idle = start - end
            self._cut.append(self._cut[-1] + (max(0, idle - _IDLE_MS) if shorten_idle else 0))
        self._begin = busy[0][0] - LEAD_MS
        self.duration_ms = self.film(busy[-1][1]) + _TAIL_MS

    def film(self, instant: int) -> int:
        """The film's moment of an instant in which something happens; below 0 before its beginning."""
        stretch = max(0, bisect.bisect_right(self._starts, instant) - 1)
        return instant - self._begin - self._cut[stretch]

    def at(self, instant: int | None) -> int | None:
        """The same of an instant that may not be known."""
        return None if instant is None else self.film(instant)


def join_stretches(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The same time in stretches that are in order and apart."""
    joined: list[Stretch] = []
    for start, end in sorted(stretches):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
