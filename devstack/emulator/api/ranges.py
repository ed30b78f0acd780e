"""The bytes that a Range header requests (RFC 9110 §14.2)."""

import re
from dataclasses import dataclass

from devstack.emulator.errors import B2Error

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@dataclass(frozen=True)
class ByteRange:
    """`length` bytes from `start` of a file of `size` bytes."""

    start: int
    length: int
    size: int

    @property
    def content_range(self) -> str:
        """The Content-Range header of these bytes."""
        return f"bytes {self.start}-{self.start + self.length - 1}/{self.size}"


def requested_range(header: str | None, size: int) -> ByteRange | None:
    """The bytes that `header` requests; None for the whole file or an invalid header; 416 when there are none."""
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or match.group(1) == match.group(2) == "":
        return None
    first, last = match.groups()
    if first == "":
        start, end = max(size - int(last), 0), size - 1
    else:
        start, end = int(first), min(int(last), size - 1) if last else size - 1
    if last and first and int(last) < int(first):
        return None
    if start >= size or end < start:
        raise B2Error(416, "range_not_satisfiable", f"The range {header} is not within the {size} bytes of the file")
    return ByteRange(start, end - start + 1, size)
