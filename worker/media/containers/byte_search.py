"""Read and search the bytes of a file in small pieces, whatever its size."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from worker.media.containers.container import StepBudget

# Small enough for a processor core's cache: searching chunks of 8 MB took half as long again.
_CHUNK = 256 * 1024
# Longer than any search pattern; chunks of a file overlap by it.
OVERLAP = 64


def occurrences(
    file: BinaryIO, needle: bytes | re.Pattern[bytes], start: int, end: int, budget: StepBudget
) -> Iterator[int]:
    """Offsets of `needle`, found in chunks that overlap by more than its length."""
    # Twice as fast as bytes.find. No needle overlaps itself.
    pattern = re.compile(re.escape(needle)) if isinstance(needle, bytes) else needle
    at, next_start = start, start
    while at < end:
        budget.check()
        chunk = read_at(file, at, min(_CHUNK, end - at))
        for hit in pattern.finditer(chunk):
            if at + hit.start() >= next_start:
                yield at + hit.start()
                next_start = at + hit.start() + 1
        if at + len(chunk) >= end or not chunk:
            return
        at += len(chunk) - OVERLAP


def read_at(file: BinaryIO, at: int, length: int) -> bytes:
    """`length` bytes from offset `at`; fewer at the end of the file."""
    file.seek(at)
    return file.read(length)
