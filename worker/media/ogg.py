"""The skeleton of Ogg (RFC 3533): pages. Firefox's recorder writes it for sound alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from worker.media.container import MAX_PARTS, OGG_MAGIC, Part
from worker.media.errors import MediaRejected

_PAGE_HEADER = 27
# Header type flag of the first page of a logical stream (RFC 3533 §6).
_BEGINS = 0x02
# Six hours in pages of a fifth of a second have 108 thousand.
_MAX_PAGES = 1_000_000


@dataclass(frozen=True)
class Page:
    """One page; `end` may lie behind the end of a file that was cut off."""

    begins: bool
    offset: int
    end: int


def recording_parts(path: Path) -> list[Part]:
    """The recordings in this file, in order: each begins with the first page of every stream it has."""
    size = path.stat().st_size
    starts = [0]
    before = True
    for page in _pages(path, 0, size):
        if page.begins and not before:
            starts.append(page.offset)
        before = page.begins
        if len(starts) > MAX_PARTS:
            raise MediaRejected("damaged", f"The file holds more than {MAX_PARTS} recordings. Upload them one by one.")
    return [Part(start, end - start) for start, end in zip(starts, [*starts[1:], size], strict=True)]


def is_cut_off(path: Path, part: Part) -> bool:
    """Whether the last page promises more bytes than are there."""
    end = part.offset + part.length
    last = part.offset
    for page in _pages(path, part.offset, end):
        last = page.end
    return last != end


def _pages(path: Path, start: int, end: int) -> Iterator[Page]:
    """The pages from `start`, ending at the first that is none."""
    with path.open("rb") as file:
        at = start
        for _ in range(_MAX_PAGES):
            file.seek(at)
            head = file.read(_PAGE_HEADER + 255)
            if at >= end or len(head) < _PAGE_HEADER or not head.startswith(OGG_MAGIC):
                return
            count = head[_PAGE_HEADER - 1]
            lengths = head[_PAGE_HEADER : _PAGE_HEADER + count]
            page_end = at + _PAGE_HEADER + count + sum(lengths)
            # The table of lengths itself may be cut off.
            yield Page(bool(head[5] & _BEGINS), at, page_end if len(lengths) == count else end + 1)
            at = page_end
