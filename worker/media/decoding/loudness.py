"""How loud a recording is (EBU R 128), and the constant gain that brings speech to -16 LUFS."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ffmpeg

from worker.media.containers.kinds import detect_demuxer
from worker.media.decoding.downmix import mono
from worker.media.limits import input_options
from worker.media.processes.binaries import Binaries
from worker.media.processes.budget import Budget, never
from worker.media.processes.runner import run_ffmpeg

TARGET_LUFS = -16.0
# Below this it is a silent room, which is not amplified.
_SILENCE_LUFS = -60.0
# More would only amplify the noise of a distant microphone.
_MAX_GAIN = 24.0
# As an amplitude, 3.7 dB below -1.5 dBTP: codecs at these rates add that much to the peak of a clap.
_PEAK = 0.55
_INTEGRATED = re.compile(r"I:\s+(-?[\d.]+|-inf|nan) LUFS")


def measure_loudness(
    source: Path,
    binaries: Binaries,
    *,
    seconds: float,
    cancels: bool = False,
    should_stop: Callable[[], bool] = never,
) -> float | None:
    """The integrated loudness of the first sound track of `source` in LUFS; None for silence.

    `cancels`: its channels cancel each other out. Raises what the runner raises.
    """
    media = ffmpeg.input(str(source.absolute()), **input_options(detect_demuxer(source)), vn=None)
    # Mono, as it will be heard: measured in stereo, the same voice would be 3 LU louder.
    sound = mono(media["a:0"], cancels=cancels).filter("ebur128", framelog="quiet")
    words = ffmpeg.get_args(ffmpeg.output(sound, "-", f="null"))
    budget = Budget(wall_seconds=120 + seconds, stall_seconds=60)
    report = run_ffmpeg(binaries, ["-v", "info", *words], budget=budget, should_stop=should_stop)
    measurements = _INTEGRATED.findall(report)
    loudness = float(measurements[-1]) if measurements else float("-inf")
    return loudness if loudness > _SILENCE_LUFS else None


def gain_of(loudness: float | None) -> float:
    """The gain in dB for a recording of this loudness in LUFS; 0 for silence."""
    return 0.0 if loudness is None else min(TARGET_LUFS - loudness, _MAX_GAIN)


def levelled(sound: Any, gain: float) -> Any:
    """The sound with this constant gain in dB; only peaks that would exceed -1.5 dBTP are reduced."""
    return sound.filter("volume", f"{gain:.2f}dB").filter("alimiter", limit=_PEAK, level=0, latency=1)
