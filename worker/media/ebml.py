"""The structure of Matroska and WebM (RFC 8794, RFC 9559): where recordings begin, whether the end was cut off.

After a page reload during a lesson, or stop and start, an upload holds a second recording behind the first. ffmpeg
reads such a file without an error and keeps the duration of one part only, so the parts are found here.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from worker.media.container import EBML_MAGIC, MAX_PARTS, Effort, too_many_parts
from worker.media.errors import too_complex
from worker.media.runner import never

_EBML, _SEGMENT, _TRACKS, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1654AE6B, 0x1F43B675
_CUES, _VOID, _CRC, _TIMECODE, _INFO = 0x1C53BB6B, 0xEC, 0xBF, 0xE7, 0x1549A966
_DOCTYPE = 0x4282
# EBML header: version, read version, max id length, max size length, DocType and its two versions, Void, CRC-32.
_HEADER_IDS = frozenset({0x4286, 0x42F7, 0x42F2, 0x42F3, _DOCTYPE, 0x4287, 0x4285, _VOID, _CRC})
_OPENED = frozenset({_SEGMENT, _CLUSTER})  # we look inside these; all others are skipped as a whole
# What holds pictures and sound: SimpleBlock, BlockGroup. Everything else is rare in a recording.
_BLOCKS = frozenset({0xA3, 0xA0})

# Small enough to stay in the cache of a processor core: chunks of 8 MB took half as long again to search.
_CHUNK = 256 * 1024
_HEADER_MAX = 128  # Chrome's header has 36 bytes, ffmpeg's 40
# A Cluster lasts at most 65 s (16-bit block times at 1 ms), far below this size.
_LONGEST_TAIL = 64 * 1024 * 1024
_TAIL_CHUNK = 1024 * 1024
# Longer than any search pattern; chunks of a file overlap by it.
_OVERLAP = 64
# A Cluster's size in 1 to 8 bytes (RFC 8794 §4); its first child is a Timecode, behind a CRC-32 if there is one.
_SIZE = (
    b"(?:[\x80-\xff]|[\x40-\x7f].|[\x20-\x3f]..|[\x10-\x1f]..."
    b"|[\x08-\x0f].{4}|[\x04-\x07].{5}|[\x02-\x03].{6}|\x01.{7})"
)
_CLUSTER_ID = re.escape(b"\x1f\x43\xb6\x75")
_CLUSTER_START = re.compile(_CLUSTER_ID + _SIZE + b"(?:\xbf\x84.{4})?\xe7[\x81-\x88]", re.DOTALL)
# The four bytes of a Cluster's id without a Cluster: once in four gigabytes by chance.
_STRAY_CLUSTER_ID = re.compile(_CLUSTER_ID + b"(?!" + _SIZE + b"[\xe7\xec\xbf\xa3\xa0\xa7\xab\x58])", re.DOTALL)
_MAX_STRAY_IDS = 1000
_MAX_CANDIDATES = 10_000
# Of a last Cluster; one of a minute has about ten thousand blocks.
_MAX_BLOCKS = 300_000
# Steps for an element that is no block: a recording has few of them.
_FILLER_STEPS = 8
_BEFORE_TRACKS = 16  # header, Segment, SeekHead, Void, Info, Tags and some more


@dataclass(frozen=True)
class Element:
    """One element: `end` is None when its size is unknown, as in every live recording."""

    id: int
    offset: int
    data: int
    end: int | None


def starts(file: BinaryIO, start: int, size: int, effort: Effort) -> list[int]:
    """Where recordings begin in a file, from `start`, at which there is one; nearly always there are no others.

    The four bytes of an EBML header may stand in any frame; they count when a whole header of WebM or Matroska
    follows, then a Segment, then its Tracks. No encoder makes a frame like that. The levels of the elements are no
    better proof: the size of a frame that a closed tab cut off covers the header behind it. Reads the file twice, in
    chunks. Raises MediaRejected for a file that is not worth reading, and Stopped.
    """
    begins = [start]
    for at in recordings_at(file, start + len(EBML_MAGIC), size, size, effort):
        begins.append(at)
        if len(begins) > MAX_PARTS:
            raise too_many_parts()
    strays = occurrences(file, _STRAY_CLUSTER_ID, start, size, effort)
    if next(itertools.islice(strays, _MAX_STRAY_IDS, None), None) is not None:
        raise too_complex()
    return begins


def is_cut_off(file: BinaryIO, start: int, end: int, effort: Effort) -> bool:
    """Whether the last element of the recording from `start` to `end` states more bytes than there are.

    Then the tab was closed during the recording. Raises MediaRejected for a last Cluster of nothing but filling.
    """
    for element in _walk(file, start, end, effort):
        if element.id == _SEGMENT and element.end is not None:
            return element.end > end
        if element.id == _CLUSTER:
            break
    at = _last_cluster(file, start, end, effort)
    last, blocks = at, 0
    for element in _walk(file, at, end, effort):
        last = element.data if element.end is None else element.end
        blocks += element.id in _BLOCKS
        if blocks > _MAX_BLOCKS:
            return False  # unknown, and too expensive to find out
    return last != end


def clusters(file: BinaryIO, start: int, end: int, effort: Effort) -> Iterator[tuple[int, int]]:
    """The Clusters from `start` to `end`: their offsets and Timecodes."""
    for at in occurrences(file, _CLUSTER_START, start, end, effort):
        for element in itertools.islice(_walk(file, at, end, effort), 1, 3):
            if element.id == _TIMECODE and element.end is not None:
                yield at, int.from_bytes(read_at(file, element.data, element.end - element.data), "big")
                break


def cues_are_in_front(path: Path) -> bool:
    """Whether the index for seeking comes before the first Cluster, so that a browser need not fetch the end."""
    with path.open("rb") as file:
        size = path.stat().st_size
        for element in _walk(file, 0, size, Effort(1000, never)):
            if element.id in (_CUES, _CLUSTER):
                return element.id == _CUES
    return False


def info(file: BinaryIO, size: int) -> dict[int, Element]:
    """The children of the first Info (RFC 9559 §5.1.2) of a file of `size` bytes, by their ids."""
    for element in _walk(file, 0, size, Effort(1000, never)):
        if element.id == _INFO and element.end is not None:
            return {child.id: child for child in _children(read_at(file, 0, element.end), element.data)}
    return {}


def doctype(path: Path) -> str:
    """`webm` or `matroska`, as the header of the file says; empty when it says neither."""
    with path.open("rb") as file:
        return _doctype(file.read(_HEADER_MAX))


def occurrences(
    file: BinaryIO, needle: bytes | re.Pattern[bytes], start: int, end: int, effort: Effort
) -> Iterator[int]:
    """Offsets of `needle`, found in chunks that overlap by more than its length."""
    # Twice as fast as bytes.find. None of the needles overlaps itself.
    pattern = re.compile(re.escape(needle)) if isinstance(needle, bytes) else needle
    at, next_start = start, start
    while at < end:
        effort.check()
        chunk = read_at(file, at, min(_CHUNK, end - at))
        for hit in pattern.finditer(chunk):
            if at + hit.start() >= next_start:
                yield at + hit.start()
                next_start = at + hit.start() + 1
        if at + len(chunk) >= end or not chunk:
            return
        at += len(chunk) - _OVERLAP


def recordings_at(file: BinaryIO, start: int, end: int, size: int, effort: Effort) -> Iterator[int]:
    """Places from `start` to `end` where a recording begins, in a file of `size` bytes."""
    for number, at in enumerate(occurrences(file, EBML_MAGIC, start, end, effort)):
        if number > _MAX_CANDIDATES:
            raise too_many_parts()
        if begins_recording(file, at, size, effort):
            yield at


def begins_recording(file: BinaryIO, at: int, size: int, effort: Effort) -> bool:
    """Whether a header, a Segment and its Tracks stand here, with nothing but elements of their levels between them."""
    if not _doctype(read_at(file, at, _HEADER_MAX)):
        return False
    # Behind the header itself, up to the first Cluster or the header of yet another recording.
    behind = itertools.islice(_walk(file, at, size, effort), 1, _BEFORE_TRACKS)
    ids = {e.id for e in itertools.takewhile(lambda e: e.id not in (_CLUSTER, _EBML), behind)}
    return {_SEGMENT, _TRACKS} <= ids


def _doctype(head: bytes) -> str:
    """The DocType of a whole and plausible EBML header (RFC 8794 §11.2.4); empty when it is none."""
    header = _element(head, 0)
    if header is None or header.id != _EBML or header.end is None or header.end > len(head):
        return ""
    at, doctype = header.data, b""
    while at < header.end:
        child = _element(head, at)
        if child is None or child.id not in _HEADER_IDS or child.end is None or child.end > header.end:
            return ""
        if child.id == _DOCTYPE:
            doctype = head[child.data : child.end].rstrip(b"\0")
        at = child.end
    return doctype.decode("ascii") if doctype in (b"webm", b"matroska") else ""


def _last_cluster(file: BinaryIO, start: int, end: int, effort: Effort) -> int:
    """The offset of the last Cluster that a Timecode follows; the end when the tail holds none."""
    at = end
    while at > max(start, end - _LONGEST_TAIL):
        effort.check()
        at = max(start, at - _TAIL_CHUNK)
        # Chunks overlap, for a Cluster on their border.
        chunk = read_at(file, at, min(_TAIL_CHUNK + _OVERLAP, end - at))
        last = None
        for last in _CLUSTER_START.finditer(chunk):  # noqa: B007 - the last one is wanted
            pass
        if last is not None:
            return at + last.start()
    return end


def _walk(file: BinaryIO, start: int, end: int, effort: Effort) -> Iterator[Element]:
    """The elements from `start`: all of levels 0 and 1 and the children of Clusters; ends at what is no element.

    Elements of unknown kind are skipped like the others (RFC 8794 §6): a newer recorder may write them.
    """
    at = start
    while at < end:
        element = _element(read_at(file, at, 16), at, at)
        if element is None:
            return
        inside = element.id in _OPENED
        if element.end is None and not inside:
            return  # only Segment and Cluster may be of unknown size
        if element.id not in _BLOCKS:
            effort.spend(_FILLER_STEPS)
        yield element
        at = element.data if inside or element.end is None else element.end


def _children(data: bytes, at: int) -> Iterator[Element]:
    """The elements from `at` to the end of `data`, ending at the first that is none."""
    while at < len(data):
        child = _element(data, at)
        if child is None or child.end is None:
            return
        yield child
        at = child.end


def _element(data: bytes, at: int, base: int = 0) -> Element | None:
    """The element at `at`; `data` begins at offset `base` of the file. None when the bytes are no element."""
    here = at - base
    if here >= len(data) or not data[here] & 0xF0:
        return None
    id_length = 9 - data[here].bit_length()
    size_at = here + id_length
    if size_at >= len(data) or not data[size_at]:
        return None
    size_length = 9 - data[size_at].bit_length()
    behind = size_at + size_length
    if behind > len(data):
        return None
    unknown = (1 << 7 * size_length) - 1
    length = int.from_bytes(data[size_at:behind], "big") & unknown
    identity = int.from_bytes(data[here:size_at], "big")
    return Element(identity, at, base + behind, None if length == unknown else base + behind + length)


def read_at(file: BinaryIO, at: int, length: int) -> bytes:
    """`length` bytes from offset `at`; fewer at the end of the file."""
    file.seek(at)
    return file.read(length)
