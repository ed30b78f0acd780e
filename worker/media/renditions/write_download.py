"""Write the file that people keep: an MP4 of a picture and a sound that were made before, with its index in front."""

from collections.abc import Callable
from pathlib import Path

import ffmpeg

from worker.media.limits import input_options
from worker.media.processes.binaries import Binaries
from worker.media.processes.budget import copy_budget, never
from worker.media.processes.runner import run_ffmpeg
from worker.media.whole_files import removed_on_failure

_OPTIONS = {
    "c": "copy",
    "f": "mp4",
    "movflags": "+faststart",
    "map_metadata": "-1",
    "map_chapters": "-1",
    "fflags": "+bitexact",
}


def write_download(
    picture: Path | None,
    sound: Path | None,
    target: Path,
    binaries: Binaries,
    *,
    should_stop: Callable[[], bool] = never,
) -> None:
    """Copy the tracks of these fragmented MP4 into `target`. Raises what the runner raises; then it does not exist."""
    parts = [(path, track) for path, track in ((picture, "v:0"), (sound, "a:0")) if path is not None]
    tracks = [ffmpeg.input(str(path.absolute()), **input_options("mov"))[track] for path, track in parts]
    words = ffmpeg.get_args(ffmpeg.output(*tracks, str(target.absolute()), **_OPTIONS))
    with removed_on_failure(target):
        size = sum(path.stat().st_size for path, _ in parts)
        run_ffmpeg(binaries, words, budget=copy_budget(size), should_stop=should_stop)
