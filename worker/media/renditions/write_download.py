"""Write the file that people download: an MP4 of an existing picture and sound, with its index in front.

Its chapters are a text track (QuickTime, phones) and a `chpl` list (VLC).
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import ffmpeg

from worker.media.captions.cue import Cue
from worker.media.limits import input_options
from worker.media.processes.binaries import Binaries
from worker.media.processes.budget import copy_budget, never
from worker.media.processes.runner import run_ffmpeg
from worker.media.whole_files import removed_on_failure

# `chpl` stores the number of chapters, and the bytes of each title, in one byte.
_MAX_CHAPTERS, _LONGEST_TITLE = 255, 255
_OPTIONS = {
    "c": "copy",
    "f": "mp4",
    "movflags": "+faststart",
    # `:g` and `:s` only: plain `map_metadata` would remove the titles of chapters too.
    "map_metadata:g": "-1",
    "map_metadata:s": "-1",
    "fflags": "+bitexact",
}


def write_download(
    picture: Path | None,
    sound: Path | None,
    target: Path,
    binaries: Binaries,
    *,
    chapters: Sequence[Cue] = (),
    should_stop: Callable[[], bool] = never,
) -> None:
    """Copy the tracks of these fragmented MP4 files into `target`.

    Raises what the runner raises; then `target` does not exist.
    """
    parts = [(path, track) for path, track in ((picture, "v:0"), (sound, "a:0")) if path is not None]
    tracks = [ffmpeg.input(str(path.absolute()), **input_options("mov"))[track] for path, track in parts]
    chosen = {"map_chapters": str(len(parts)) if chapters else "-1"}
    words = ffmpeg.get_args(ffmpeg.output(*tracks, str(target.absolute()), **_OPTIONS, **chosen))
    listing = target.with_name(f"{target.name}.chapters")
    if chapters:
        listing.write_text(chapter_metadata(chapters), "utf-8")
        # Inserted by hand: ffmpeg-python omits an input none of whose tracks is used.
        place = words.index("-map")
        words[place:place] = ["-protocol_whitelist", "file", "-f", "ffmetadata", "-i", str(listing.absolute())]
    with removed_on_failure(target):
        size = sum(path.stat().st_size for path, _ in parts)
        run_ffmpeg(binaries, words, budget=copy_budget(size), should_stop=should_stop)


def chapter_metadata(chapters: Sequence[Cue]) -> str:
    """The chapters in ffmpeg's format (`FFMETADATA1`), with their titles escaped."""
    blocks = (
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={cue.start_ms}\nEND={cue.end_ms}\ntitle={_escaped(cue.text)}\n"
        for cue in chapters[:_MAX_CHAPTERS]
    )
    return ";FFMETADATA1\n" + "".join(blocks)


def _escaped(title: str) -> str:
    one_line = " ".join(title.replace("\0", " ").split())
    whole = one_line.encode("utf-8", "replace")[:_LONGEST_TITLE].decode("utf-8", "ignore")
    return re.sub(r"([=;#\\])", r"\\\1", whole)
