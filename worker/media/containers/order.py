"""Order the pieces of a recording (fragments of MP4, clusters of WebM) by their numbers and times.

Chunks of an upload that changed places are put back. After a recorder's clock restarted, pieces repeat the numbers and
times of others; these are left in the order of the file.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from worker.media.containers.container import MAX_HOLES

# File offsets: start, end.
Range = tuple[int, int]


@dataclass(frozen=True)
class Piece:
    """A range of a file that can be read by itself, its number in the recording, and the times at which it begins.

    `times` has one for each track, in the track's own unit.
    """

    start: int
    end: int
    number: int
    times: Mapping[int, int]


def in_order(pieces: Sequence[Piece]) -> list[Range] | None:
    """The ranges of these pieces in the order of their numbers; None when the file already has the best order.

    The first piece contains the header, so it stays first.
    """
    ordered = sorted(pieces, key=lambda piece: piece.number)
    if ordered == list(pieces) or ordered[0] != pieces[0]:
        return None
    for before, behind in itertools.pairwise(ordered):
        if behind.number == before.number and behind.times != before.times:
            return None
        if any(time < before.times.get(track, time) for track, time in behind.times.items()):
            return None
    ranges = joined([(piece.start, piece.end) for piece in ordered])
    return ranges if len(ranges) <= MAX_HOLES else None


def joined(ranges: Sequence[Range]) -> list[Range]:
    """The same bytes in the same order, in as few ranges as possible."""
    merged: list[Range] = []
    for start, end in ranges:
        if merged and merged[-1][1] == start:
            merged[-1] = merged[-1][0], end
        else:
            merged.append((start, end))
    return merged
