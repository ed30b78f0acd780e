"""When a recording was recorded: the stretches between its recorder's pauses. Pure functions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# A recorder times its pauses by another clock than its packets.
_NEAR_MS = 2000


@dataclass(frozen=True, slots=True)
class RecordedStretch:
    """A stretch of a recording without a pause, in milliseconds: `begun` since 1970, `at` in its file, its length."""

    begun: int
    at: int
    length: int

    @property
    def interval(self) -> tuple[int, int]:
        """Its start and end in milliseconds since 1970."""
        return self.begun, self.begun + self.length


@dataclass(frozen=True, slots=True)
class FileGap:
    """A gap of a file in milliseconds: `length` is how long nothing was recorded, `kept` how much of that it plays."""

    at: int
    length: int
    kept: int


def recorded_stretches(
    begun: int, length: int, pauses: Iterable[tuple[int, int]] = (), gaps: Iterable[FileGap] = ()
) -> tuple[RecordedStretch, ...]:
    """The stretches of a file of `length` milliseconds whose recorder began at `begun` (milliseconds since 1970).

    `pauses` are (from, until) in milliseconds since `begun`. Some recorders stop their clock in a pause, some leave a
    gap in the file: such `gaps` are matched with the pauses. A gap without a pause that the file plays is a loss,
    and stays; one that the file does not play is a pause.
    """
    stretches: list[RecordedStretch] = []
    instant, at = begun, 0
    for cut in _cuts(sorted(pauses), sorted(gaps, key=lambda gap: gap.at)):
        end = min(cut.at, length)
        if end > at:
            stretches.append(RecordedStretch(instant, at, end - at))
            instant += end - at
        instant += cut.length
        at = max(at, cut.at + cut.kept)
    if length > at:
        stretches.append(RecordedStretch(instant, at, length - at))
    return tuple(stretches)


def _cuts(pauses: Sequence[tuple[int, int]], gaps: Sequence[FileGap]) -> list[FileGap]:
    """What the file leaves out or lacks, in the order of the file."""
    left = list(gaps)
    cuts: list[FileGap] = []
    shift = 0  # wall-clock time minus file time
    for start, until in pauses:
        if until <= start:
            continue
        while left and left[0].at < start - shift - _NEAR_MS:
            gap = left.pop(0)
            if not gap.kept:
                cuts.append(gap)
                shift += gap.length
        at, length = start - shift, until - start
        match = next((gap for gap in left if abs(gap.at - at) <= _NEAR_MS >= abs(gap.length - length)), None)
        if match is not None:
            left.remove(match)
        cuts.append(match or FileGap(at, length, 0))
        shift += cuts[-1].length - cuts[-1].kept
    return [*cuts, *(gap for gap in left if not gap.kept)]
