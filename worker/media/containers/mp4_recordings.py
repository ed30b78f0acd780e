"""The recordings in an MP4 file, each with an index (`moov`), and where reading continues after damaged boxes.

A recorder's fragments (`moof` and `mdat`) are independent, so lost bytes cost only the fragments that they belong to. A
box that was cut off states a size that reaches into what follows it.
"""

import re
from dataclasses import dataclass, field
from typing import BinaryIO

from worker.media.containers import byte_search, webm_recordings
from worker.media.containers.container import EBML_MAGIC, MAX_HOLES, Part, StepBudget
from worker.media.containers.mp4_boxes import (
    NESTED,
    TOP_LEVEL,
    Box,
    check_edits,
    fragment_times,
    next_recording,
    read_box,
)
from worker.media.containers.order import Piece, Range, in_order, joined
from worker.media.errors import too_complex

# A fragment begins with its header box, which has a fixed size (ISO/IEC 14496-12 §8.8.5).
_FRAGMENT = re.compile(rb"moof\x00\x00\x00[\x10\x14]mfhd", re.DOTALL)
_FRAGMENT_BOXES = frozenset({b"moof", b"mdat"})


@dataclass
class _Recording:
    """The boxes of one recording that have been read so far."""

    offset: int
    # Its `moov`.
    index: Box | None = None
    # The last two complete boxes of a known kind.
    last: Box | None = None
    before: Box | None = None
    # Where a box of an unknown kind begins after `last`.
    unknown: int | None = None
    # Damaged fragments, which are left out.
    holes: list[Range] = field(default_factory=list)
    # Its complete fragments, each a `moof` and an `mdat`.
    fragments: list[Range] = field(default_factory=list)

    def follow(self, box: Box) -> None:
        """Record a complete box."""
        if box.type not in TOP_LEVEL:  # four letters may occur by chance in coded pictures
            self.unknown = box.offset if self.unknown is None else self.unknown
            return
        self.before, self.last, self.unknown = self.last, box, None
        if box.type == b"mdat" and self.before and self.before.type == b"moof":
            self.fragments.append((self.before.offset, box.end))

    def fragment_start(self, box: Box) -> int:
        """Where the fragment of `box` begins; `box` is incomplete and follows `last`."""
        return self.last.offset if box.type == b"mdat" and self.last and self.last.type == b"moof" else box.offset


def recordings(file: BinaryIO, start: int, size: int, budget: StepBudget) -> tuple[list[Part], int]:
    """The recordings from `start`, each with an index (`moov`), and the offset at which something else begins.

    That is the end of the file, or a WebM recording after the MP4. Raises Stopped, and MediaRejected for a file that is
    not worth reading.
    """
    parts: list[Part] = []
    current = _Recording(start)
    at = start
    while True:
        box = read_box(file, at, size) if at < size else None
        if box is not None and _is_chance(current, box, size):
            box = None
        if box is not None and box.end <= size:
            budget.spend()
            if box.type == b"ftyp" and current.last is not None:
                parts += _finished(file, current, at, budget, cut_off=False)
                current = _Recording(at)
            if box.type == b"moov":
                check_edits(file, box, budget)
                current.index = box
            current.follow(box)
            at = box.end
            continue
        if at >= size:
            return [*parts, *_finished(file, current, size, budget, cut_off=False)], size
        if current.unknown is not None:  # more likely damage than a box, since it led here
            at, box = current.unknown, None
        behind, is_fragment = _next_start(file, current, box, at, size, budget)
        if is_fragment:
            _leave_out(current, box, at, behind)
            at = behind
            continue
        end, cut_off = _end_of_cut(current, box, at, behind)
        parts += _finished(file, current, end, budget, cut_off=cut_off)
        if behind >= size or byte_search.read_at(file, behind, 4) == EBML_MAGIC:
            return parts, behind
        current, at = _Recording(behind), behind


def _is_chance(current: _Recording, box: Box, size: int) -> bool:
    """Whether a wrong size led here: into coded pictures, or into the index of another recording."""
    if box.type == b"moov":
        return current.index is not None
    return box.type in NESTED or (box.end > size and box.type not in TOP_LEVEL)


def _next_start(
    file: BinaryIO, current: _Recording, box: Box | None, at: int, size: int, budget: StepBudget
) -> tuple[int, bool]:
    """Where reading continues after the damage at `at`, and whether that is a fragment of the same recording.

    `box` states more bytes than there are; without one, the size of the box before it was wrong, and the bytes that it
    covers are searched.
    """
    last = current.last if box is None else None
    search = last.data if last else at + 8
    nearest, is_fragment = size, False
    if current.index is not None:
        # The first offset of a box type, four bytes into its box: a box may begin one byte after `at`, since only part
        # of a lost box's header may remain.
        behind = search if last and last.type in _FRAGMENT_BOXES else at + 5
        fragments = byte_search.occurrences(file, _FRAGMENT, behind, size, budget)
        nearest = next((offset - 4 for offset in fragments if read_box(file, offset - 4, size)), size)
        is_fragment = nearest < size
    start = min(
        next_recording(file, search, nearest, size, budget),
        next((at for at in webm_recordings.recordings_at(file, search, nearest, size, budget)), nearest),
    )
    return (start, False) if start < nearest else (nearest, is_fragment)


def _leave_out(current: _Recording, box: Box | None, at: int, behind: int) -> None:
    """Leave out the damaged fragment, up to the next one at `behind`."""
    if box is None and current.last is not None and current.last.type in _FRAGMENT_BOXES:
        # The last box was most likely shorter than its size says, so it is damaged as well.
        box, current.last = current.last, current.before
    start = current.fragment_start(box) if box is not None else at
    if current.holes and start <= current.holes[-1][1]:
        start = current.holes.pop()[0]
    current.holes.append((start, behind))
    if len(current.holes) > MAX_HOLES:
        raise too_complex()
    current.fragments = [fragment for fragment in current.fragments if fragment[1] <= start]
    current.last = current.before = current.unknown = None


def _end_of_cut(current: _Recording, box: Box | None, at: int, behind: int) -> tuple[int, bool]:
    """Where a recording ends, and whether its last box was cut off.

    A cut `mdat` still holds pictures and sound up to the cut. Half a `moof` makes ffmpeg reject the whole file.
    """
    if box is None:
        last = current.last
        if last is None or behind >= last.end:
            return at, False  # something else after a complete recording
        box = last
    return (behind, True) if box.type == b"mdat" else (box.offset, True)


def _finished(file: BinaryIO, current: _Recording, end: int, budget: StepBudget, *, cut_off: bool) -> list[Part]:
    if end <= current.offset:
        return []
    lost = current.index is None or end < current.index.end
    holes = tuple(hole for hole in current.holes if hole[1] < end)
    pieces = () if lost else _pieces(file, current, budget)
    return [Part(current.offset, end - current.offset, "mov", cut_off, holes, lost, pieces)]


def _pieces(file: BinaryIO, current: _Recording, budget: StepBudget) -> tuple[Range, ...]:
    """The ranges of a recording whose fragments are not in the order in which they were recorded; otherwise none.

    A fragment whose data was cut off is left out, because its size claims part of the next one.
    """
    # The fragment's header box comes first; its second word is the sequence number.
    numbers = [int.from_bytes(byte_search.read_at(file, start + 20, 4), "big") for start, _end in current.fragments]
    if numbers == sorted(numbers):
        return ()
    pieces = []
    for (start, end), number in zip(current.fragments, numbers, strict=True):
        times = fragment_times(file, start, end, budget)
        if times is None:
            return ()
        pieces.append(Piece(start, end, number, times))
    ordered = in_order(pieces)
    if ordered is None or current.index is None:
        return ()
    begin = current.index.end if current.holes else current.fragments[0][0]
    return tuple(joined([(current.offset, begin), *ordered]))
