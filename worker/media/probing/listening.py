"""Choose the audio tracks to use: OBS and phones write several, and the voice is not always on the first one."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import ffmpeg

from worker.media.errors import FfmpegFailed
from worker.media.limits import input_options
from worker.media.probing.header import Header, PartHeader
from worker.media.probing.repairs import Repair
from worker.media.probing.track_selection import left_out
from worker.media.processes.binaries import Binaries
from worker.media.processes.budget import copy_budget, never
from worker.media.processes.runner import run_ffmpeg

# Root mean square of one window, in dB of full scale. An open microphone in a quiet room has about -55.
_SILENT_DB = -65.0
_RATE = 8000
_WINDOW_SECONDS = 5
_LEVEL = "lavfi.astats.Overall.RMS_level"


def choose_sounds(
    path: Path, header: Header, binaries: Binaries, folder: Path, *, should_stop: Callable[[], bool] = never
) -> Header:
    """The header, with the audio tracks that are not silent: the first one, another one, or several to be mixed.

    A header with one audio track, or with several recordings, is returned unchanged. Raises what the runner raises,
    except that a track that cannot be decoded counts as silent.
    """
    first, *others = header.parts
    if others or not first.more_sounds:
        return header
    tracks = [first.tracks["audio"], *first.more_sounds]
    audible = [track for track in tracks if _is_heard(path, header, track, binaries, folder, should_stop)]
    sounds = audible or tracks[:1]
    repairs = [left_out(track) for track in tracks if track not in sounds]
    if len(sounds) > 1:
        repairs.append(Repair("sounds-mixed", track="audio"))
    elif sounds[0] is not tracks[0]:
        repairs.append(Repair("track-chosen", track="audio", codec=str(sounds[0]["codec_name"])))
    part = _with_sound(first, sounds[0], (*first.left_out, *repairs))
    mixed = tuple(int(track["index"]) for track in sounds) if len(sounds) > 1 else ()
    return replace(header, parts=(part,), mixed=mixed)


def _with_sound(part: PartHeader, sound: Mapping[str, Any], repairs: tuple[Repair, ...]) -> PartHeader:
    return replace(part, tracks={**part.tracks, "audio": sound}, more_sounds=(), left_out=repairs)


def _is_heard(
    path: Path,
    header: Header,
    track: Mapping[str, Any],
    binaries: Binaries,
    folder: Path,
    should_stop: Callable[[], bool],
) -> bool:
    """Whether any five seconds of the track are louder than silence."""
    part = header.parts[0].part
    sound = ffmpeg.input(part.address(path), **input_options(header.demuxer))[str(track["index"])]
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".levels") as levels:
        measured = (
            sound.filter("aresample", _RATE)
            .filter("asetnsamples", _RATE * _WINDOW_SECONDS)
            .filter("astats", metadata=1, reset=1, measure_perchannel="none", measure_overall="RMS_level")
            .filter("ametadata", mode="print", key=_LEVEL, file=levels.name)
        )
        words = ffmpeg.get_args(ffmpeg.output(measured, "-", f="null"))
        try:
            run_ffmpeg(binaries, words, budget=copy_budget(part.length), should_stop=should_stop)
        except FfmpegFailed:
            return False
        lines = levels.read().decode("ascii", "replace").splitlines()
    return any(_level(line) > _SILENT_DB for line in lines if line.startswith(_LEVEL))


def _level(line: str) -> float:
    value = line.partition("=")[2]
    try:
        return float(value)
    except ValueError:
        return float("-inf")
