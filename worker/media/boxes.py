"""The skeleton of MP4 (ISO/IEC 14496-12 §4.2): its top-level boxes, never what is inside them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from worker.media.container import MAX_PARTS, Part
from worker.media.errors import MediaRejected

# Six hours in fragments of half a second have 86 thousand boxes.
_MAX_BOXES = 1_000_000


@dataclass(frozen=True)
class Box:
    """One top-level box; `end` may lie behind the end of a file that was cut off."""

    type: bytes
    offset: int
    end: int


def recording_parts(path: Path) -> list[Part]:
    """The recordings in this file, in order: each begins with `ftyp` and has a `moov`.

    A last part without `moov` is left out when something playable comes before it; alone, it is rejected.
    """
    size = path.stat().st_size
    starts: list[int] = []
    playable: set[int] = set()
    for box in _boxes(path, 0, size):
        if box.type == b"ftyp":
            starts.append(box.offset)
        if box.type == b"moov" and box.end <= size and starts:
            playable.add(starts[-1])
    if not playable:
        raise MediaRejected(
            "missing-init",
            "The recording was not finished: its index (moov) is missing, and without it an MP4 cannot be played. "
            "Record as WebM, or as fragmented MP4.",
        )
    if len(starts) > MAX_PARTS:
        raise MediaRejected("damaged", f"The file holds more than {MAX_PARTS} recordings. Upload them one by one.")
    ends = [*starts[1:], size]
    return [Part(start, end - start) for start, end in zip(starts, ends, strict=True) if start in playable]


def is_cut_off(path: Path, part: Part) -> bool:
    """Whether the last box promises more bytes than are there."""
    end = part.offset + part.length
    last = part.offset
    for box in _boxes(path, part.offset, end):
        last = box.end
    return last != end


def moov_is_in_front(path: Path) -> bool:
    """Whether the index comes before the pictures, so that a browser can begin at once (`faststart`)."""
    for box in _boxes(path, 0, path.stat().st_size):
        if box.type in (b"moov", b"mdat"):
            return box.type == b"moov"
    return False


def _boxes(path: Path, start: int, end: int) -> Iterator[Box]:
    """The boxes from `start`, ending at the first that is none."""
    with path.open("rb") as file:
        at = start
        for _ in range(_MAX_BOXES):
            file.seek(at)
            head = file.read(16)
            if at + 8 > end or len(head) < 8 or not head[4:8].isalnum():
                return
            length = int.from_bytes(head[:4], "big")
            if length == 1:  # a 64-bit length follows the type
                length = int.from_bytes(head[8:16], "big")
            elif length == 0:  # to the end of the file
                length = end - at
            if length < 8:
                return
            yield Box(head[4:8], at, at + length)
            at += length
            if at >= end:
                return
