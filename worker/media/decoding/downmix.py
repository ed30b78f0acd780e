"""Mix sound to mono. Where one channel is inverted, as of a balanced microphone in a phone's jack, the mix would be
silent: one channel is taken instead.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ffmpeg

from worker.media.limits import input_options
from worker.media.probing.header import read_header
from worker.media.processes.binaries import Binaries
from worker.media.processes.budget import Budget, never
from worker.media.processes.runner import run_ffmpeg

# The mix of any channels that do not cancel each other out is at most 6 dB below the louder one: the other is silent.
_CANCELLED_DB = 10.0
_LEVEL = re.compile(r"RMS level dB: +(-?[\d.]+|-?inf|nan)")


def mono(sound: Any, *, cancels: bool) -> Any:
    """The sound with one channel: the mix of all, or if its channels cancel each other out, the left one."""
    return (_stereo(sound).filter("pan", args="mono|c0=FL") if cancels else sound).filter(
        "aformat", channel_layouts="mono"
    )


def channels_cancel(path: Path, binaries: Binaries, *, should_stop: Callable[[], bool] = never) -> bool:
    """Whether the channels of a fast copy's sound cancel each other out in a mix. Reads only the header of mono sound.

    Raises what the runner raises, and MediaRejected when the file cannot be read.
    """
    header = read_header(path, binaries, should_stop=should_stop)
    if int(header.parts[0].tracks["audio"].get("channels") or 0) < 2:
        return False
    media = ffmpeg.input(str(path.absolute()), **input_options(header.demuxer), vn=None, threads=1)
    levels = (
        _stereo(media["a:0"])
        .filter("pan", args="3.0|c0=FL|c1=FR|c2=0.5*FL+0.5*FR")
        .filter("astats", measure_perchannel="RMS_level", measure_overall="none")
    )
    words = ffmpeg.get_args(ffmpeg.output(levels, "-", f="null"))
    # A copy of 16 kbit/s has two seconds of sound in 4 KB.
    budget = Budget(wall_seconds=120 + header.size_bytes / 2000, stall_seconds=60)
    report = run_ffmpeg(binaries, ["-v", "info", *words], budget=budget, should_stop=should_stop)
    # `nan` and `-inf` are silence.
    measured = [float(level) if level[-1].isdigit() else -999.0 for level in _LEVEL.findall(report)[-3:]]
    return len(measured) == 3 and measured[2] < max(measured[:2]) - _CANCELLED_DB


def _stereo(sound: Any) -> Any:
    return sound.filter("aformat", channel_layouts="stereo")
