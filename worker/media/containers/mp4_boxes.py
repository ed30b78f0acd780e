"""The boxes of MP4 (ISO/IEC 14496-12 §4.2): types and byte ranges, without the contents of pictures and sound."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from worker.media.containers import byte_search
from worker.media.containers.container import StepBudget
from worker.media.errors import too_complex
from worker.media.processes.budget import never

# How many boxes from the start of a recording are searched for its index.
_BEFORE_INDEX = 8
# Each edit is a cut made in a phone's editor. ffmpeg's time grows with the square of their number.
_MAX_EDITS = 1000
# The cost of checking whether a recording begins at an offset.
_STEPS_OF_CANDIDATE = 8
_CONTAINERS = frozenset({b"trak", b"edts"})
# Boxes that recorders and phones write at the top level.
TOP_LEVEL = frozenset(b"ftyp styp moov moof mdat free skip wide sidx ssix prft emsg mfra meta uuid pdin pnot".split())
# Boxes that occur only inside others: one at the top level means that a wrong size led into an index.
NESTED = frozenset(
    b"mvhd trak tkhd edts elst mdia mdhd hdlr minf vmhd smhd dinf dref stbl stsd stts stss ctts stsc stsz stco co64 "
    b"sgpd sbgp udta mvex mehd trex mfhd traf tfhd tfdt trun".split()
)


@dataclass(frozen=True)
class Box:
    """One box; `end` may be beyond the end of a file that was cut off."""

    type: bytes
    offset: int
    data: int
    end: int


def moov_is_in_front(path: Path) -> bool:
    """Whether the index comes before the pictures, so that a browser can begin at once (`faststart`)."""
    size = path.stat().st_size
    with path.open("rb") as file:
        for box in children(file, 0, size, StepBudget(1000, never)):
            if box.type in (b"moov", b"mdat"):
                return box.type == b"moov"
    return False


def begins_recording(file: BinaryIO, at: int, size: int) -> bool:
    """Whether there is an `ftyp` at `at` and, after few other boxes, a complete `moov`."""
    for number in range(_BEFORE_INDEX):
        box = read_box(file, at, size)
        if box is None or box.end > size or (number == 0) != (box.type == b"ftyp"):
            return False
        if box.type == b"moov":
            return byte_search.read_at(file, box.data + 4, 4) == b"mvhd"
        at = box.end
    return False


def next_recording(file: BinaryIO, start: int, end: int, size: int, budget: StepBudget) -> int:
    """The first offset from `start` to `end` at which an MP4 begins; `end` when there is none. `size` is the file's."""
    for offset in byte_search.occurrences(file, b"ftyp", max(start, 4), end, budget):
        budget.spend(_STEPS_OF_CANDIDATE)
        if begins_recording(file, offset - 4, size):
            return offset - 4
    return end


def read_box(file: BinaryIO, at: int, end: int) -> Box | None:
    """The box at `at`, inside a parent that ends at `end`; None when there is none."""
    head = byte_search.read_at(file, at, 16)
    if at + 8 > end or len(head) < 8 or not head[4:8].isalnum():
        return None
    length, data = int.from_bytes(head[:4], "big"), at + 8
    if length == 1 and len(head) == 16:  # a 64-bit length follows the type
        length, data = int.from_bytes(head[8:16], "big"), at + 16
    elif length == 0 and head[4:8] == b"mdat":  # to the end of the file
        length = end - at
    return Box(head[4:8], at, data, at + length) if length >= data - at else None


def check_edits(file: BinaryIO, moov: Box, budget: StepBudget) -> None:
    """Raise MediaRejected for edit lists (ISO/IEC 14496-12 §8.6.6) that no editor makes."""
    edits = 0
    inside = [moov]
    while inside:
        parent = inside.pop()
        for box in children(file, parent.data, parent.end, budget):
            if box.type in _CONTAINERS:
                inside.append(box)
            elif box.type == b"elst" and parent.type == b"edts":
                edits += int.from_bytes(byte_search.read_at(file, box.data + 4, 4), "big")
    if edits > _MAX_EDITS:
        raise too_complex()


def children(file: BinaryIO, at: int, end: int, budget: StepBudget) -> Iterator[Box]:
    """The boxes from `at`, up to the first bytes that are none."""
    while at < end:
        box = read_box(file, at, end)
        if box is None:
            return
        budget.spend()
        yield box
        at = box.end


_BASE_DATA_OFFSET = 1


def fragment_times(file: BinaryIO, start: int, end: int, budget: StepBudget) -> dict[int, int] | None:
    """The start time of each track of the fragment at `start` (`tfdt`, ISO/IEC 14496-12 §8.8.12).

    None when the fragment states the file offset of its data, so that it cannot be moved.
    """
    times: dict[int, int] = {}
    moof = read_box(file, start, end)
    for traf in children(file, moof.data, moof.end, budget) if moof else ():
        track = 0
        for box in children(file, traf.data, traf.end, budget) if traf.type == b"traf" else ():
            data = byte_search.read_at(file, box.data, 12)
            if box.type == b"tfhd":
                if data[3] & _BASE_DATA_OFFSET:
                    return None
                track = int.from_bytes(data[4:8], "big")
            elif box.type == b"tfdt":
                times[track] = int.from_bytes(data[4:12] if data[0] else data[4:8], "big")
    return times
