"""Recordings of any length: a browser's recording repeated, without duration and index, as browsers send them."""

import subprocess
from pathlib import Path

from worker.media.processes.binaries import Binaries

LESSON = Path(__file__).parents[2] / "tests" / "data" / "vp9.webm"
# As reported by ffprobe: the header lacks the duration, which ffmpeg's concat demuxer needs.
LESSON_SECONDS = 12.01
LESSON_FRAMES_PER_SECOND = 28
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


def camera_lesson(recording: Path, folder: Path, binaries: Binaries) -> Path:
    """The recording as a camera makes it: opaque, with a sound that rises and falls like syllables.

    Chromium stores the transparency of a canvas beside each frame, and the sound of the recording is tones.
    """
    # IVF has room for one picture only.
    frames, lesson = folder / "frames.ivf", folder / "lesson.webm"
    ffmpeg = [str(binaries.ffmpeg), "-v", "error", "-nostdin", "-y"]
    copy = ["-i", str(recording), "-map", "0:v", "-c", "copy", "-f", "ivf", str(frames)]
    subprocess.run([*ffmpeg, *copy], check=True)
    voice = ["-f", "lavfi", "-i", "anoisesrc=color=pink:amplitude=0.3:sample_rate=48000,tremolo=f=4:d=0.9"]
    tracks = ["-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "libopus", "-b:a", "64k", "-shortest", str(lesson)]
    subprocess.run([*ffmpeg, "-i", str(frames), *voice, *tracks], check=True)
    return lesson


def repeated_sound(sound: Path, target: Path, binaries: Binaries, *, repeats: int) -> Path:
    """A WebM of sound repeated so many times, with its stream copied."""
    listing = target.with_suffix(".txt")
    listing.write_text(f"file '{sound.resolve()}'\n" * repeats)
    ffmpeg = [str(binaries.ffmpeg), "-v", "error", "-nostdin", "-y", "-f", "concat", "-safe", "0", "-i", str(listing)]
    subprocess.run([*ffmpeg, "-c", "copy", "-f", "webm", str(target)], check=True)
    return target


def repeats_for(minutes: float) -> int:
    """The number of repeats with this duration."""
    return max(1, round(minutes * 60 / LESSON_SECONDS))


def repeats_of_bytes(size: int) -> int:
    """The number of repeats with at least so many bytes."""
    return -(-size // LESSON.stat().st_size)


def distinct(content: bytes, number: int) -> bytes:
    """The same recording with other bytes: an element that players skip (RFC 9559 §5, Void) at its end."""
    return content + _VOID + b"\x88" + number.to_bytes(8, "big")
