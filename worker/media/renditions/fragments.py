"""The segments of a fragmented MP4, read from its index (`sidx`, ISO/IEC 14496-12 §8.16.3)."""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worker.media.containers import mp4_boxes
from worker.media.containers.byte_search import read_at
from worker.media.containers.container import StepBudget
from worker.media.errors import OutputDamaged
from worker.media.processes.budget import never

_BOXES = 64
# A header of one track without samples has less than a kilobyte.
_HEADER_BYTES = 65_536


@dataclass(frozen=True)
class Segments:
    """Where segments are in a file: the header is the first `init` bytes, and segments follow each other from `start`.

    Each of `parts` is the milliseconds and the bytes of one segment, which begins with a key frame.
    """

    init: int
    start: int
    parts: tuple[tuple[int, int], ...]

    @property
    def duration_ms(self) -> int:
        """The length of all segments."""
        return sum(ms for ms, _ in self.parts)

    def document(self) -> dict[str, Any]:
        """The value of the column `segments`."""
        return {"init": self.init, "start": self.start, "parts": [list(part) for part in self.parts]}

    @classmethod
    def of(cls, document: dict[str, Any]) -> "Segments":
        """The segments from a value of the column."""
        return cls(document["init"], document["start"], tuple((ms, size) for ms, size in document["parts"]))


def read_segments(path: Path) -> Segments:
    """Read the segments of a file with one track. Raises OutputDamaged unless one index describes the whole file."""
    size = path.stat().st_size
    with path.open("rb") as file:
        boxes = {}
        for box in mp4_boxes.children(file, 0, size, StepBudget(_BOXES, never)):
            if box.type in boxes or box.type == b"moof":
                break
            boxes[box.type] = box
        moov, sidx = boxes.get(b"moov"), boxes.get(b"sidx")
        if moov is None or sidx is None:
            raise OutputDamaged("The rendition has no header or no index in front.")
        segments = _parse(read_at(file, sidx.data, sidx.end - sidx.data), moov.end, sidx.end)
    if segments.start + sum(length for _, length in segments.parts) != size:
        raise OutputDamaged("The index of the rendition does not describe the whole file.")
    return segments


def has_edits(path: Path) -> bool:
    """Whether the file's header has an edit list that moves its start (`elst`, §8.6.6)."""
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    at = header.find(b"elst")
    if at < 0:
        return False
    version, count = header[at + 4], int.from_bytes(header[at + 8 : at + 12], "big")
    begin = at + (20 if version else 16)
    return count > 1 or int.from_bytes(header[begin : begin + (8 if version else 4)], "big", signed=True) != 0


def _parse(data: bytes, init: int, end: int) -> Segments:
    is_long = data[0] == 1
    (scale,) = struct.unpack_from(">I", data, 8)
    (first,) = struct.unpack_from(">Q" if is_long else ">I", data, 20 if is_long else 16)
    at = 28 if is_long else 20
    (count,) = struct.unpack_from(">H", data, at + 2)
    entries = [struct.unpack_from(">II", data, at + 4 + 12 * number) for number in range(count)]
    ticks, parts, before = 0, [], 0
    for length, duration in entries:
        ticks += duration
        # End times are rounded, not durations, so that errors do not add up.
        now = round(ticks * 1000 / scale)
        parts.append((now - before, length & 0x7FFFFFFF))
        before = now
    return Segments(init, end + first, tuple(parts))
