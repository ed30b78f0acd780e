"""The skeleton of Matroska and WebM (RFC 8794, RFC 9559): where recordings begin, whether the end was cut off.

A page reload during a lesson, or stop and start, puts a second recording behind the first in one upload. ffmpeg
reads such a file without complaint and keeps only the length of one part, so the parts must be found here.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from worker.media.container import EBML_MAGIC, MAX_PARTS, Part
from worker.media.errors import MediaRejected

_EBML, _SEGMENT, _TRACKS, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1654AE6B, 0x1F43B675
_CUES, _VOID, _CRC = 0x1C53BB6B, 0xEC, 0xBF
_DOCTYPE = 0x4282
# EBML header: version, read version, max id length, max size length, DocType and its two versions, Void, CRC-32.
_HEADER_IDS = frozenset({0x4286, 0x42F7, 0x42F2, 0x42F3, _DOCTYPE, 0x4287, 0x4285, _VOID, _CRC})
# Level 1: SeekHead, Info, Tracks, Cluster, Cues, Attachments, Chapters, Tags.
_LEVEL_1 = frozenset({0x114D9B74, 0x1549A966, _TRACKS, _CLUSTER, _CUES, 0x1941A469, 0x1043A770, 0x1254C367})
# In a Cluster: Timecode, SimpleBlock, BlockGroup, Position, PrevSize, SilentTracks, EncryptedBlock.
_IN_CLUSTER = frozenset({0xE7, 0xA3, 0xA0, 0xA7, 0xAB, 0x5854, 0xAF})
_KNOWN = _LEVEL_1 | _IN_CLUSTER | {_EBML, _SEGMENT, _VOID, _CRC}
_OPENED = frozenset({_SEGMENT, _CLUSTER})  # we look inside these; all others are skipped as a whole

_CHUNK = 8 * 1024 * 1024
_HEADER_MAX = 128  # Chrome's header has 36 bytes, ffmpeg's 40
# A Cluster lasts at most 32 s (16-bit block times at 1 ms), far below the second size, and in a lesson's recording
# mostly a second, below the first.
_TAILS = (1024 * 1024, 64 * 1024 * 1024)
# Six hours have about two million elements; a file made of empty ones must not keep us for ever.
_MAX_ELEMENTS = 20_000_000
_MAX_CANDIDATES = 10_000
_BEFORE_TRACKS = 16  # header, Segment, SeekHead, Void, Info, Tags and some more


@dataclass(frozen=True)
class Element:
    """One element: `end` is None when its size is unknown, as in every live recording."""

    id: int
    offset: int
    data: int
    end: int | None


def recording_parts(path: Path) -> list[Part]:
    """The recordings in this file, in order; nearly always one, the whole file.

    The four bytes of an EBML header may stand in any frame; they count when a whole header of WebM or Matroska
    follows, then a Segment, then its Tracks. No encoder makes a frame like that. The level of the elements is no
    better witness: a frame cut off by a dying tab swallows the header behind it. Reads the file once, 8 MB at a time.
    """
    size = path.stat().st_size
    starts = [0]
    with path.open("rb") as file:
        for seen, at in enumerate(_occurrences(file, EBML_MAGIC, len(EBML_MAGIC), size)):
            if seen > _MAX_CANDIDATES or len(starts) > MAX_PARTS:
                raise MediaRejected(
                    "damaged", f"The file holds more than {MAX_PARTS} recordings. Upload them one by one."
                )
            if _begins_recording(file, at, size):
                starts.append(at)
    return [Part(start, end - start) for start, end in zip(starts, [*starts[1:], size], strict=True)]


def is_cut_off(path: Path, part: Part) -> bool:
    """Whether the last element of a recording promises more bytes than are there: the tab died while writing."""
    end = part.offset + part.length
    with path.open("rb") as file:
        for element in _walk(file, part.offset, end):
            if element.id == _SEGMENT and element.end is not None:
                return element.end > end
            if element.id == _CLUSTER:
                break
        at = _last_cluster(file, part.offset, end)
        last = at
        for element in _walk(file, at, end):
            last = element.data if element.end is None else element.end
    return last != end


def cues_are_in_front(path: Path) -> bool:
    """Whether the index for seeking comes before the first Cluster, so that a browser need not fetch the end."""
    with path.open("rb") as file:
        for element in _walk(file, 0, path.stat().st_size):
            if element.id in (_CUES, _CLUSTER):
                return element.id == _CUES
    return False


def doctype(path: Path) -> str:
    """`webm` or `matroska`, as the header of the file says; empty when it says neither."""
    with path.open("rb") as file:
        return _doctype(file.read(_HEADER_MAX))


def _occurrences(file: BinaryIO, needle: bytes, start: int, end: int) -> Iterator[int]:
    """Offsets of `needle`, found in chunks that overlap by one byte less than its length."""
    pattern = re.compile(re.escape(needle))
    at = start
    while at < end:
        chunk = _read_at(file, at, min(_CHUNK, end - at))
        # Twice as fast as bytes.find, which looks at every byte. No needle of ours begins inside itself.
        for hit in pattern.finditer(chunk):
            yield at + hit.start()
        if at + len(chunk) >= end or not chunk:
            return
        at += len(chunk) - len(needle) + 1


def _begins_recording(file: BinaryIO, at: int, size: int) -> bool:
    """Whether a header, a Segment and its Tracks stand here, with nothing but their like between them."""
    if not _doctype(_read_at(file, at, _HEADER_MAX)):
        return False
    # Behind the header itself, up to the first Cluster or the header of yet another recording.
    behind = itertools.islice(_walk(file, at, size), 1, _BEFORE_TRACKS)
    found = {e.id for e in itertools.takewhile(lambda e: e.id not in (_CLUSTER, _EBML), behind)}
    return {_SEGMENT, _TRACKS} <= found


def _doctype(head: bytes) -> str:
    """The DocType of a whole and plausible EBML header (RFC 8794 §11.2.4); empty when it is none."""
    header = _element(head, 0)
    if header is None or header.id != _EBML or header.end is None or header.end > len(head):
        return ""
    at, found = header.data, b""
    while at < header.end:
        child = _element(head, at)
        if child is None or child.id not in _HEADER_IDS or child.end is None or child.end > header.end:
            return ""
        if child.id == _DOCTYPE:
            found = head[child.data : child.end].rstrip(b"\0")
        at = child.end
    return found.decode("ascii") if found in (b"webm", b"matroska") else ""


def _last_cluster(file: BinaryIO, start: int, end: int) -> int:
    """The offset of the last Cluster that a Timecode follows; the end when the tail holds none."""
    for tail in _TAILS:
        last = end
        for at in _occurrences(file, _CLUSTER.to_bytes(4, "big"), max(start, end - tail), end):
            cluster = _element(_read_at(file, at, 16), at, at)
            if cluster is not None and _read_at(file, cluster.data, 1) == b"\xe7":
                last = at
        if last != end:
            break
    return last


def _walk(file: BinaryIO, start: int, end: int) -> Iterator[Element]:
    """The elements from `start`: all of levels 0 and 1 and the children of Clusters; ends at what is no element."""
    at = start
    for _ in range(_MAX_ELEMENTS):
        if at >= end:
            return
        element = _element(_read_at(file, at, 16), at, at)
        if element is None or element.id not in _KNOWN:
            return
        inside = element.id in _OPENED
        if element.end is None and not inside:
            return  # only Segment and Cluster may be of unknown size
        yield element
        at = element.data if inside or element.end is None else element.end


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


def _read_at(file: BinaryIO, at: int, length: int) -> bytes:
    file.seek(at)
    return file.read(length)
