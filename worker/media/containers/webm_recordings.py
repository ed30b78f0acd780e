"""The recordings in a WebM or Matroska file: where they begin, and whether the end was cut off.

After a page reload during a lesson, or stop and start, an upload holds a second recording after the first. ffmpeg reads
such a file without an error and keeps the duration of one part only, so the parts are found here.
"""

import itertools
import re
from collections.abc import Iterator
from typing import BinaryIO

from worker.media.containers.byte_search import OVERLAP, occurrences, read_at
from worker.media.containers.container import EBML_MAGIC, MAX_PARTS, StepBudget, too_many_parts
from worker.media.containers.ebml import (
    BLOCKS,
    CLUSTER,
    EBML,
    HEADER_MAX,
    SEGMENT,
    TIMECODE,
    TRACKS,
    doctype_of_header,
    walk,
)
from worker.media.errors import too_complex

# A Cluster lasts at most 65 s (16-bit block times at 1 ms), far below this size.
_LONGEST_TAIL = 64 * 1024 * 1024
_TAIL_CHUNK = 1024 * 1024
# A Cluster's size in 1 to 8 bytes (RFC 8794 §4); its first child is a Timecode, after a CRC-32 if there is one.
_SIZE = (
    b"(?:[\x80-\xff]|[\x40-\x7f].|[\x20-\x3f]..|[\x10-\x1f]..."
    b"|[\x08-\x0f].{4}|[\x04-\x07].{5}|[\x02-\x03].{6}|\x01.{7})"
)
_CLUSTER_ID = re.escape(b"\x1f\x43\xb6\x75")
_CLUSTER_START = re.compile(_CLUSTER_ID + _SIZE + b"(?:\xbf\x84.{4})?\xe7[\x81-\x88]", re.DOTALL)
# A Cluster's id of four bytes that is no Cluster; by chance this happens once in four gigabytes.
_STRAY_CLUSTER_ID = re.compile(_CLUSTER_ID + b"(?!" + _SIZE + b"[\xe7\xec\xbf\xa3\xa0\xa7\xab\x58])", re.DOTALL)
_MAX_STRAY_IDS = 1000
_MAX_CANDIDATES = 10_000
# Blocks of a last Cluster that are read; one of a minute has about ten thousand.
_MAX_BLOCKS = 300_000
_BEFORE_TRACKS = 16  # header, Segment, SeekHead, Void, Info, Tags and some more


def starts(file: BinaryIO, start: int, size: int, budget: StepBudget) -> list[int]:
    """Where recordings begin in a file, from `start`, which is the first; nearly always it is the only one.

    The four bytes of an EBML header may occur in any frame; they count when a complete WebM or Matroska header follows,
    then a Segment, then its Tracks. No encoder makes a frame like that. The nesting of elements proves no more: when a
    closed tab cut off a frame, the frame's size covers the header after it. Reads the file twice, in chunks. Raises
    Stopped, and MediaRejected for a file that is not worth reading.
    """
    begins = [start]
    for at in recordings_at(file, start + len(EBML_MAGIC), size, size, budget):
        begins.append(at)
        if len(begins) > MAX_PARTS:
            raise too_many_parts()
    strays = occurrences(file, _STRAY_CLUSTER_ID, start, size, budget)
    if next(itertools.islice(strays, _MAX_STRAY_IDS, None), None) is not None:
        raise too_complex()
    return begins


def is_cut_off(file: BinaryIO, start: int, end: int, budget: StepBudget) -> bool:
    """Whether the last element of the recording from `start` to `end` states more bytes than there are.

    If so, the tab was closed during the recording. Raises MediaRejected for a last Cluster of nothing but filling.
    """
    for element in walk(file, start, end, budget):
        if element.id == SEGMENT and element.end is not None:
            return element.end > end
        if element.id == CLUSTER:
            break
    at = _last_cluster(file, start, end, budget)
    last, blocks = at, 0
    for element in walk(file, at, end, budget):
        last = element.data if element.end is None else element.end
        blocks += element.id in BLOCKS
        if blocks > _MAX_BLOCKS:
            return False  # unknown, and too expensive to find out
    return last != end


def clusters(file: BinaryIO, start: int, end: int, budget: StepBudget) -> Iterator[tuple[int, int]]:
    """The offsets and Timecodes of the Clusters from `start` to `end`."""
    for at in occurrences(file, _CLUSTER_START, start, end, budget):
        for element in itertools.islice(walk(file, at, end, budget), 1, 3):
            if element.id == TIMECODE and element.end is not None:
                yield at, int.from_bytes(read_at(file, element.data, element.end - element.data), "big")
                break


def recordings_at(file: BinaryIO, start: int, end: int, size: int, budget: StepBudget) -> Iterator[int]:
    """The offsets from `start` to `end` at which a recording begins, in a file of `size` bytes."""
    for number, at in enumerate(occurrences(file, EBML_MAGIC, start, end, budget)):
        if number > _MAX_CANDIDATES:
            raise too_many_parts()
        if begins_recording(file, at, size, budget):
            yield at


def begins_recording(file: BinaryIO, at: int, size: int, budget: StepBudget) -> bool:
    """Whether a header, a Segment and its Tracks begin here, with only elements of their levels between them."""
    if not doctype_of_header(read_at(file, at, HEADER_MAX)):
        return False
    # The elements after the header itself, up to the first Cluster or the header of yet another recording.
    behind = itertools.islice(walk(file, at, size, budget), 1, _BEFORE_TRACKS)
    ids = {e.id for e in itertools.takewhile(lambda e: e.id not in (CLUSTER, EBML), behind)}
    return {SEGMENT, TRACKS} <= ids


def _last_cluster(file: BinaryIO, start: int, end: int, budget: StepBudget) -> int:
    """The offset of the last Cluster that a Timecode follows; the end when the tail holds none."""
    at = end
    while at > max(start, end - _LONGEST_TAIL):
        budget.check()
        at = max(start, at - _TAIL_CHUNK)
        # Chunks overlap, since a Cluster may begin at their border.
        chunk = read_at(file, at, min(_TAIL_CHUNK + OVERLAP, end - at))
        last = None
        for last in _CLUSTER_START.finditer(chunk):  # noqa: B007 - only the last match is needed
            pass
        if last is not None:
            return at + last.start()
    return end
