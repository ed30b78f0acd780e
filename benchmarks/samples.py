"""Recordings of any length: a browser's recording repeated, without duration and index, as browsers send them."""

import subprocess
from pathlib import Path

from worker.media.processes.binaries import Binaries

LESSON = Path(__file__).parent.parent / "tests" / "data" / "vp9.webm"
# As reported by ffprobe: the header lacks the duration, which ffmpeg's concat demuxer needs.
LESSON_SECONDS = 12.01
_VOID = b"\xec"


def write_recording(folder: Path, binaries: Binaries, *, repeats: int) -> Path:
    """The lesson repeated `repeats` times, with its streams copied."""
    listing = folder / f"{repeats}.txt"
    listing.write_text(f"file '{LESSON.resolve()}'\nduration {LESSON_SECONDS}\n" * repeats)
    path = folder / f"{repeats}.webm"
    command = [str(binaries.ffmpeg), "-v", "error", "-nostdin", "-f", "concat", "-safe", "0", "-i", str(listing)]
    with path.open("wb") as out:
        subprocess.run(
            [*command, "-map", "0", "-c", "copy", "-f", "webm", "-live", "1", "pipe:1"], stdout=out, check=True
        )
    return path


def repeats_for(minutes: float) -> int:
    """The number of repeats with this duration."""
    return max(1, round(minutes * 60 / LESSON_SECONDS))


def repeats_of_bytes(size: int) -> int:
    """The number of repeats with at least so many bytes."""
    return -(-size // LESSON.stat().st_size)


def distinct(content: bytes, number: int) -> bytes:
    """The same recording with other bytes: an element that players skip (RFC 9559 §5, Void) at its end."""
    return content + _VOID + b"\x88" + number.to_bytes(8, "big")
