"""Renditions of a lesson and of a board, beside separate runs of ffmpeg and the best single command by hand."""

import os
import resource
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.board_lesson import board_lesson
from benchmarks.figure import Figure, Limit, Reading, median
from benchmarks.samples import repeats_for, write_recording
from benchmarks.scale import Scale
from worker.canvases.replay.build_timeline import build_timeline
from worker.canvases.replay.film import write_film
from worker.canvases.stored.pages import read_board
from worker.media.decoding.loudness import gain_of, measure_loudness
from worker.media.films.mix import Sound, SoundPiece
from worker.media.probing.packet_reading import probe
from worker.media.probing.probe import Probe
from worker.media.processes.binaries import Binaries, find_binaries
from worker.media.renditions.rendition_forms import PICTURES, SOUNDS
from worker.media.renditions.write_renditions import Recorded, write_renditions
from worker.settings import Settings

# Bytes of an hour that a rendition may have, in megabytes.
_MOST_MB = {"audio": 6.6, "audio-aac": 8.0, "360p": 112.5, "720p": 540.0, "board": 11.25}
_STROKES_PER_HOUR, _PAGES = 3000, 10
_FRAGMENTS = ["-movflags", "+frag_keyframe+default_base_moof+global_sidx+delay_moov+skip_trailer"]
_H264 = ["-c:v", "libx264", "-preset", "veryfast", "-profile:v", "main", "-bf", "0", *_FRAGMENTS, "-f", "mp4"]
# What somebody types for each rendition: filters of its track, and options of its output.
_BY_HAND = {
    "audio": ("aformat=channel_layouts=mono", ["-c:a", "libopus", "-b:a", "16k", "-application", "voip", "-f", "webm"]),
    "audio-aac": ("aformat=channel_layouts=mono", ["-c:a", "aac", "-b:a", "16k", "-ar", "16000", "-f", "mp4"]),
    "360p": ("fps=15,scale=640:360", [*_H264, "-crf", "28", "-maxrate", "220k", "-bufsize", "330k", "-g", "60"]),
    "720p": ("fps=30,scale=1280:720", [*_H264, "-crf", "25", "-maxrate", "1200k", "-bufsize", "2400k", "-g", "120"]),
    "board": ("fps=5", [*_H264, "-crf", "26", "-tune", "stillimage", "-g", "50"]),
}


@dataclass(frozen=True)
class _Material:
    """A file, its length in seconds, and the renditions that are made of it."""

    name: str
    path: Path
    probed: Probe
    names: tuple[str, ...]

    @property
    def seconds(self) -> float:
        return self.probed.duration_ms / 1000


def measure_media(scale: Scale) -> Figure:
    """Measure a lesson of a camera and one of a board, of twenty minutes each."""
    figure = Figure("Renditions: one decoding for all, loudness measured before")
    binaries = find_binaries(Settings())
    with TemporaryDirectory() as name:
        folder = Path(name)
        for material in (_lesson(folder, binaries, scale), _board(folder, binaries, scale)):
            _measure(figure, material, folder, binaries, scale.media_repeats)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    figure.readings.append(Reading("the largest ffmpeg", memory, "MB", limit=Limit("value", "<", 600)))
    figure.notes.append(
        f"Peers in the same run on the same file, by the same ffmpeg at its priority; {os.cpu_count()} cores,"
        " x264 on two threads. The bytes of `audio` are those of a recording with tones; speech takes a tenth less."
    )
    return figure


def _measure(figure: Figure, material: _Material, folder: Path, binaries: Binaries, repeats: int) -> None:
    ours, separate, single = [], [], []
    for _repeat in range(repeats):
        ours.append(_timed(lambda: _make(material, folder, binaries)))
        separate.append(_timed(lambda: _run_separately(material, folder, binaries)))
        single.append(_timed(lambda: _run_by_hand(material, folder, binaries, material.names)))
    what = f"{material.name}, {material.seconds / 60:.0f} min: {', '.join(material.names)}"
    figure.readings += [
        Reading.of(what, ours, "s", separate, "separate runs", Limit("ratio", "≤", 0.75)),
        Reading.of(f"{material.name}: the same", ours, "s", single, "one command", Limit("ratio", "≤", 1.1)),
    ]
    for name in material.names:
        hour = (folder / name).stat().st_size / material.seconds * 3600 / 1e6
        figure.readings.append(
            Reading(f"{material.name}: {name}, an hour", hour, "MB", limit=Limit("value", "≤", _MOST_MB[name]))
        )
    if "360p" in material.names:
        alone = [_timed(lambda: _write(material, folder, binaries, ["360p"])) for _repeat in range(repeats)]
        speed = material.seconds / median(alone)
        figure.readings.append(
            Reading(f"{material.name}: 360p alone, times real time", speed, "x", limit=Limit("value", "≥", 6.0))
        )


def _make(material: _Material, folder: Path, binaries: Binaries) -> None:
    """As the job does: the loudness, the sounds, then the pictures."""
    _write(material, folder, binaries, [name for name in material.names if name in SOUNDS])
    _write(material, folder, binaries, [name for name in material.names if name in PICTURES])


def _write(material: _Material, folder: Path, binaries: Binaries, names: Sequence[str]) -> None:
    gain = 0.0
    if any(name in SOUNDS for name in names):
        gain = gain_of(measure_loudness(material.path, binaries, seconds=material.seconds))
    recorded = Recorded(material.path, material.probed, gain)
    write_renditions(recorded, {name: folder / name for name in names}, binaries)


def _run_separately(material: _Material, folder: Path, binaries: Binaries) -> None:
    """One command for each rendition, and one for the loudness."""
    for name in material.names:
        _run_by_hand(material, folder, binaries, [name], loudness=False)
    _ffmpeg(binaries, ["-i", str(material.path), "-vn", "-af", "ebur128=framelog=quiet", "-f", "null", "-"])


def _run_by_hand(
    material: _Material, folder: Path, binaries: Binaries, names: Sequence[str], *, loudness: bool = True
) -> None:
    """One command with an output for each of these, and the loudness beside them."""
    words = ["-i", str(material.path)]
    for name in names:
        filters, options = _BY_HAND[name]
        kind = "a" if name in SOUNDS else "v"
        words += ["-map", f"0:{kind}:0", f"-filter:{kind}", filters, *options, str(folder / f"peer-{name}")]
    if loudness:
        words += ["-map", "0:a:0", "-af", "ebur128=framelog=quiet", "-f", "null", "-"]
    _ffmpeg(binaries, words)


def _ffmpeg(binaries: Binaries, words: Sequence[str]) -> None:
    # Ours run at this priority, for the sake of the rest of a worker.
    command = ["nice", "-n", "10", str(binaries.ffmpeg), "-v", "error", "-nostdin", "-y", *words]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def _timed(do: Callable[[], None]) -> float:
    begun = time.perf_counter()
    do()
    return time.perf_counter() - begun


def _lesson(folder: Path, binaries: Binaries, scale: Scale) -> _Material:
    path = write_recording(folder, binaries, repeats=repeats_for(scale.lesson_minutes))
    return _Material("a lesson", path, probe(path, binaries), ("audio", "audio-aac", "360p", "720p"))


def _board(folder: Path, binaries: Binaries, scale: Scale) -> _Material:
    """A board, with the sound of the lesson."""
    seconds = round(scale.lesson_minutes * 60)
    strokes = round(_STROKES_PER_HOUR * seconds / 3600)
    document = board_lesson(seconds=seconds, pages=_PAGES, strokes=strokes, points=30 * strokes)
    timeline = build_timeline(read_board(document))
    voice = write_recording(folder, binaries, repeats=repeats_for(scale.lesson_minutes))
    path = folder / "board.mp4"
    write_film(timeline, path, binaries, sounds=[Sound(voice, [SoundPiece(0, 0, timeline.duration_ms)])])
    return _Material("a board", path, probe(path, binaries), ("audio", "audio-aac", "board"))
