"""The clock of a replay with sound: runs only while somebody's voice was recorded, or while strokes follow silently."""

import bisect
from collections.abc import Iterable, Sequence
from itertools import accumulate

from worker.canvases.replay.replay_clock import IDLE_MS, TAIL_MS, Stretch, join_stretches
from worker.media.films.mix import SoundPiece
from worker.media.probing.recorded_time import RecordedStretch


class RecordedClock:
    """Converts milliseconds since 1970 to milliseconds of the film, which begins with the voice.

    An instant outside of all shown stretches (before the recording, or in a pause of it) becomes the beginning of the
    next one, so that what was drawn then is visible when the voice continues.
    """

    def __init__(self, recorded: Sequence[Stretch], drawn: Sequence[Stretch]) -> None:
        """`recorded` are the intervals of the voice, at least one, and `drawn` those of the strokes; both in any order.

        Strokes after the last voice are shown without sound, their idle time shortened.
        """
        voice = join_stretches(recorded)
        self._shown = [*voice, *_later(drawn, voice[-1][1])]
        self._starts = [start for start, _end in self._shown]
        self._before = [0, *accumulate(end - start for start, end in self._shown)]
        self.begin = voice[0][0]
        self.end = self._shown[-1][1]
        last = max((self.film(end) for _start, end in drawn), default=0)
        self.duration_ms = max(sum(end - start for start, end in voice), last + TAIL_MS)

    def film(self, instant: int) -> int:
        """The film time of an instant; the end of the film for every instant after it."""
        index = bisect.bisect_right(self._starts, instant) - 1
        if index < 0:
            return 0
        start, end = self._shown[index]
        return self._before[index] + min(instant, end) - start

    def at(self, instant: int | None) -> int | None:
        """The film time of an instant; None when the instant is None, or after the end of the film."""
        return None if instant is None or instant > self.end else self.film(instant)

    def place(self, stretches: Iterable[RecordedStretch]) -> tuple[SoundPiece, ...]:
        """The pieces of a recording that belongs to this clock, at their film times."""
        return tuple(SoundPiece(self.film(stretch.begun), stretch.at, stretch.length) for stretch in stretches)


def _later(drawn: Sequence[Stretch], end: int) -> list[Stretch]:
    """The intervals of drawing after `end`, each with as much of the idle time before it as is shown."""
    later: list[Stretch] = []
    for start, finish in join_stretches((max(start, end), finish) for start, finish in drawn if finish > end):
        later.append((max(later[-1][1] if later else end, start - IDLE_MS), finish))
    return later
