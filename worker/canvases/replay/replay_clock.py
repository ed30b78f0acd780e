"""The clock of a replay: runs at the speed of wall-clock time, with idle time shortened on request."""

import bisect
from collections.abc import Iterable, Sequence
from itertools import pairwise

# Idle time is shortened to this on request.
IDLE_MS = 3000
# How long the empty board is shown before the first stroke, and the finished one after the last.
LEAD_MS, TAIL_MS = 1000, 2000

Stretch = tuple[int, int]


class ReplayClock:
    """Converts milliseconds since 1970 to milliseconds of the film, which begins `LEAD_MS` before the first change."""

    def __init__(self, busy: Sequence[tuple[int, int]], *, shorten_idle: bool) -> None:
        """`busy` are the intervals in which something changes: at least one, ordered and disjoint."""
        self._starts = [start for start, _end in busy]
        self._cut = [0]
        for (_, end), (start, _) in pairwise(busy):
            idle = start - end
            self._cut.append(self._cut[-1] + (max(0, idle - IDLE_MS) if shorten_idle else 0))
        self.begin = busy[0][0] - LEAD_MS
        self.duration_ms = self.film(busy[-1][1]) + TAIL_MS

    def film(self, instant: int) -> int:
        """The film time of an instant within a busy interval; negative before the beginning of the film."""
        stretch = max(0, bisect.bisect_right(self._starts, instant) - 1)
        return instant - self.begin - self._cut[stretch]

    def at(self, instant: int | None) -> int | None:
        """The film time of an instant; None when the instant is None."""
        return None if instant is None else self.film(instant)


def join_stretches(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The union of the intervals, as ordered and disjoint intervals."""
    joined: list[Stretch] = []
    for start, end in sorted(stretches):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
