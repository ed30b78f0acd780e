"""The recordings inside a file: their byte ranges, and the address by which ffmpeg reads only one of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from worker.media.errors import MediaRejected, Stopped, too_complex
from worker.media.limits import Demuxer

EBML_MAGIC = b"\x1a\x45\xdf\xa3"
# Reloads of one lesson's page. Each part is remuxed in a separate run, so the number is bounded.
MAX_PARTS = 200
# Damaged stretches that are left out of one recording. Each adds a range to ffmpeg's command line.
MAX_HOLES = 200


@dataclass(frozen=True)
class Part:
    """One recording inside a file: the range of its bytes.

    `demuxer` reads it (None: that of the whole file). `cut_off`: its last element states more bytes than there are.
    `holes` are damaged stretches that are not read, as file offsets (start, end). `lost`: its index or its beginning is
    missing, so that none of it can be played. `pieces` are the ranges to read when their order is not that of the file.
    """

    offset: int
    length: int
    demuxer: Demuxer | None = None
    cut_off: bool = False
    holes: tuple[tuple[int, int], ...] = ()
    lost: bool = False
    pieces: tuple[tuple[int, int], ...] = ()

    @property
    def end(self) -> int:
        """The offset after its last byte."""
        return self.offset + self.length

    def address(self, path: Path) -> str:
        """The input for ffmpeg: the file, a range of it, or several (protocols `subfile`, `concat`)."""
        if self.length == path.stat().st_size and not self.holes and not self.pieces:
            return str(path.absolute())
        starts = [self.offset, *(end for _start, end in self.holes)]
        ends = [*(start for start, _end in self.holes), self.end]
        ranges = self.pieces or zip(starts, ends, strict=True)
        words = [f"subfile,,start,{start},end,{end},,:{path.absolute()}" for start, end in ranges if start < end]
        return words[0] if len(words) == 1 else f"concat:{'|'.join(words)}"


class StepBudget:
    """The budget for reading the structure of one file: `most` steps, one for each element or box.

    A recorder writes few of them; a file of millions of empty ones would occupy a worker for minutes.
    """

    # Steps between two checks whether the job was cancelled; they take a few milliseconds.
    _ASK_EVERY = 4096

    def __init__(self, most: int, should_stop: Callable[[], bool]) -> None:
        self._left, self._unasked = most, 0
        self._should_stop = should_stop

    def spend(self, steps: int = 1) -> None:
        """Count `steps`. Raises MediaRejected when all are used up, and whatever `check` raises."""
        self._left -= steps
        if self._left < 0:
            raise too_complex()
        self._unasked += steps
        if self._unasked > self._ASK_EVERY:
            self._unasked = 0
            self.check()

    def check(self) -> None:
        """Raise Stopped when `should_stop` returns true."""
        if self._should_stop():
            raise Stopped("Media processing was stopped before it was done.")


def too_many_parts() -> MediaRejected:
    """The error for a file of more recordings than can be joined."""
    return MediaRejected("damaged", f"The file holds more than {MAX_PARTS} recordings. Upload them one by one.")
