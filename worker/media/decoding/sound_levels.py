"""How loud a recording is over time, and the stretches in which somebody speaks."""

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import ffmpeg
import numpy as np

from worker.media.containers.kinds import detect_demuxer
from worker.media.decoding.downmix import channels_cancel, mono
from worker.media.errors import OutputDamaged
from worker.media.limits import input_options
from worker.media.processes.binaries import Binaries
from worker.media.processes.budget import Budget, never
from worker.media.processes.runner import run_ffmpeg

# The length of one measurement in milliseconds.
STEP_MS = 100
_RATE = 8000
_SILENT_DB = -90.0
# If the whole track is below this, the microphone was off.
_DEAD_DB = -60.0
# Silence is this much below speech (the loudest twentieth). In a noisy room it is what is near the noise, but at least
# the last value below speech.
_BELOW_SPEECH_DB, _ABOVE_NOISE_DB, _MIN_BELOW_DB = 25.0, 6.0, 15.0
# Kept before and after each word: consonants are quiet.
_MARGIN_MS = 300


def measure_levels(
    path: Path, folder: Path, binaries: Binaries, *, duration_ms: int, should_stop: Callable[[], bool] = never
) -> list[float]:
    """The level (RMS, dB of full scale) of each STEP_MS of a fast copy's sound; missing packets count as silence.

    Raises OutputDamaged when the sound cannot be decoded, and what the runner raises.
    """
    listing = folder / "levels"
    cancels = channels_cancel(path, binaries, should_stop=should_stop)
    sound = ffmpeg.input(str(path.absolute()), **input_options(detect_demuxer(path)), vn=None, threads=1)["a:0"]
    levels = (
        mono(sound, cancels=cancels)
        .filter("aresample", _RATE, **{"async": 1000, "first_pts": 0})
        .filter("aformat", sample_fmts="flt")
        .filter("asetnsamples", _RATE * STEP_MS // 1000)
        .filter("astats", metadata=1, reset=1, measure_perchannel="none", measure_overall="RMS_level")
        .filter("ametadata", mode="print", key="lavfi.astats.Overall.RMS_level", file=str(listing))
    )
    seconds = duration_ms / 1000
    budget = Budget(wall_seconds=60 + seconds / 4, stall_seconds=60, file_bytes=64 * 1024 * 1024)
    run_ffmpeg(binaries, ffmpeg.get_args(ffmpeg.output(levels, "-", f="null")), budget=budget, should_stop=should_stop)
    values = [_level(line) for line in listing.read_text("ascii", "replace").splitlines() if "RMS_level=" in line]
    if not values:
        raise OutputDamaged("The sound cannot be decoded.")
    return values


def _level(line: str) -> float:
    try:
        value = float(line.rpartition("=")[2])
    except ValueError:
        return _SILENT_DB
    return value if math.isfinite(value) else _SILENT_DB


def spoken_stretches(levels: Sequence[float]) -> list[tuple[int, int]]:
    """The stretches (milliseconds) in which somebody speaks, with a margin; none if the microphone was off."""
    if not levels:
        return []
    noise, speech = (float(level) for level in np.percentile(levels, [10, 95]))
    if speech < _DEAD_DB:
        return []
    threshold = max(speech - _BELOW_SPEECH_DB, min(noise + _ABOVE_NOISE_DB, speech - _MIN_BELOW_DB))
    return joined_stretches(
        (number * STEP_MS - _MARGIN_MS, (number + 1) * STEP_MS + _MARGIN_MS)
        for number, level in enumerate(levels)
        if level > threshold
    )


def joined_stretches(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The union of the stretches, ordered and disjoint."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(stretches):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
