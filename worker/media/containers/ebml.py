"""The structure of Matroska and WebM (RFC 8794, RFC 9559): elements, and what the header of a file states."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from worker.media.containers.byte_search import read_at
from worker.media.containers.container import StepBudget
from worker.media.processes.budget import never

EBML, SEGMENT, TRACKS, CLUSTER = 0x1A45DFA3, 0x18538067, 0x1654AE6B, 0x1F43B675
_CUES, _VOID, _CRC, TIMECODE, _INFO = 0x1C53BB6B, 0xEC, 0xBF, 0xE7, 0x1549A966
_DOCTYPE = 0x4282
# EBML header: version, read version, max id length, max size length, DocType and its two versions, Void, CRC-32.
_HEADER_IDS = frozenset({0x4286, 0x42F7, 0x42F2, 0x42F3, _DOCTYPE, 0x4287, 0x4285, _VOID, _CRC})
_OPENED = frozenset({SEGMENT, CLUSTER})  # we look inside these; all others are skipped as a whole
# The elements with pictures and sound: SimpleBlock, BlockGroup. All others are rare in a recording.
BLOCKS = frozenset({0xA3, 0xA0})
HEADER_MAX = 128  # Chrome's header has 36 bytes, ffmpeg's 40
# Steps charged for an element that is not a block: a recording has few of them.
_FILLER_STEPS = 8


@dataclass(frozen=True)
class Element:
    """One element: `end` is None when its size is unknown, as in every live recording."""

    id: int
    offset: int
    data: int
    end: int | None


def cues_are_in_front(path: Path) -> bool:
    """Whether the index for seeking comes before the first Cluster, so that a browser need not fetch the end."""
    with path.open("rb") as file:
        size = path.stat().st_size
        for element in walk(file, 0, size, StepBudget(1000, never)):
            if element.id in (_CUES, CLUSTER):
                return element.id == _CUES
    return False


def info(file: BinaryIO, size: int) -> dict[int, Element]:
    """The children of the first Info (RFC 9559 §5.1.2) of a file of `size` bytes, by their ids."""
    for element in walk(file, 0, size, StepBudget(1000, never)):
        if element.id == _INFO and element.end is not None:
            return {child.id: child for child in _children(read_at(file, 0, element.end), element.data)}
    return {}


def doctype(path: Path) -> str:
    """`webm` or `matroska`, according to the file's header; empty when it says neither."""
    with path.open("rb") as file:
        return doctype_of_header(file.read(HEADER_MAX))


def doctype_of_header(head: bytes) -> str:
    """The DocType of a whole and plausible EBML header (RFC 8794 §11.2.4); empty when it is none."""
    header = _element(head, 0)
    if header is None or header.id != EBML or header.end is None or header.end > len(head):
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


def walk(file: BinaryIO, start: int, end: int, budget: StepBudget) -> Iterator[Element]:
    """The elements from `start`: all of levels 0 and 1 and the children of Clusters; ends at the first non-element.

    Unknown elements are skipped like the others (RFC 8794 §6): a newer recorder may write them.
    """
    at = start
    while at < end:
        element = _element(read_at(file, at, 16), at, at)
        if element is None:
            return
        inside = element.id in _OPENED
        if element.end is None and not inside:
            return  # only Segment and Cluster may have an unknown size
        if element.id not in BLOCKS:
            budget.spend(_FILLER_STEPS)
        yield element
        at = element.data if inside or element.end is None else element.end


def _children(data: bytes, at: int) -> Iterator[Element]:
    """The elements from `at` to the end of `data`, up to the first bytes that are none."""
    while at < len(data):
        child = _element(data, at)
        if child is None or child.end is None:
            return
        yield child
        at = child.end


def _element(data: bytes, at: int, base: int = 0) -> Element | None:
    """The element at `at`; `data` starts at file offset `base`. None when the bytes are no element."""
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
