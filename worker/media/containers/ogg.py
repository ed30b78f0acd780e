"""The structure of Ogg (RFC 3533): pages. Firefox's recorder writes it when there is only sound."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from worker.media.containers.byte_search import read_at
from worker.media.containers.container import Part, StepBudget

_MAGIC = b"OggS"
_PAGE_HEADER = 27
# Header type flag of the first page of a logical stream (RFC 3533 §6).
_BEGINS = 0x02


@dataclass(frozen=True)
class OggPage:
    """One page; `end` may be beyond the end of a file that was cut off."""

    begins: bool
    offset: int
    end: int


def recordings(file: BinaryIO, start: int, size: int, budget: StepBudget) -> tuple[list[Part], int]:
    """The recordings from `start`, in order, and the end of the file.

    Each begins with the first page of each of its streams. The last one is cut off when its last page states more bytes
    than there are.
    """
    starts, before, last = [start], True, start
    for page in _pages(file, start, size, budget):
        if page.begins and not before:
            starts.append(page.offset)
        before, last = page.begins, page.end
    return [
        Part(begin, end - begin, "ogg", cut_off=end == size and last != size)
        for begin, end in zip(starts, [*starts[1:], size], strict=True)
    ], size


def _pages(file: BinaryIO, at: int, end: int, budget: StepBudget) -> Iterator[OggPage]:
    """The pages from `at`, up to the first bytes that are none."""
    while at < end:
        head = read_at(file, at, _PAGE_HEADER + 255)
        if len(head) < _PAGE_HEADER or not head.startswith(_MAGIC):
            return
        budget.spend()
        count = head[_PAGE_HEADER - 1]
        lengths = head[_PAGE_HEADER : _PAGE_HEADER + count]
        page_end = at + _PAGE_HEADER + count + sum(lengths)
        # The lacing table itself may be cut off.
        yield OggPage(bool(head[5] & _BEGINS), at, page_end if len(lengths) == count else end + 1)
        at = page_end
