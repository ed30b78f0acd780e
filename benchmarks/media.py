"""Renditions of a lesson and of a board, beside separate runs of ffmpeg and the best single command by hand."""

import math
import os
import resource
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from benchmarks.harness.figure import Figure, Limit, Reading, median
from benchmarks.harness.scale import Scale
from benchmarks.harness.timing import Cost, cost_of
from benchmarks.lesson_files import hour_of_board
from benchmarks.material.board_lesson import board_lesson
from benchmarks.material.samples import camera_lesson, repeats_for, write_recording
from worker.canvases.replay.build_timeline import build_timeline
from worker.canvases.replay.film import write_film
from worker.canvases.replay.storyboard import write_drawn_storyboard
from worker.canvases.replay.timeline import ReplayTimeline
from worker.canvases.stored.pages import read_board
from worker.media.decoding.loudness import gain_of, measure_loudness
from worker.media.decoding.sampling import film_of
from worker.media.films.mix import Sound, SoundPiece
from worker.media.pictures.storyboard import plan_storyboard, write_storyboard
from worker.media.probing.header import read_header
from worker.media.probing.packet_reading import probe
from worker.media.probing.probe import Probe
from worker.media.processes.binaries import Binaries, find_binaries
from worker.media.renditions.rendition_forms import PICTURES, SOUNDS
from worker.media.renditions.write_renditions import FastCopyFile, write_renditions
from worker.settings import Settings

# Bytes of an hour that a rendition may have, in megabytes.
_MAX_MB = {"audio": 6.6, "audio-aac": 8.0, "360p": 112.5, "720p": 540.0, "board": 11.25}
_STROKES_PER_HOUR, _PAGES = 3000, 10
_MAX_MEMORY_MB = 600
_FRAGMENTS = ["-movflags", "+frag_keyframe+default_base_moof+global_sidx+delay_moov+skip_trailer"]
_H264 = ["-c:v", "libx264", "-preset", "veryfast", "-profile:v", "main", "-bf", "0", *_FRAGMENTS, "-f", "mp4"]
# Colours that a phone shows rightly; a browser's recording is of full range.
_SD, _HD = "out_range=tv:out_color_matrix=smpte170m", "out_range=tv:out_color_matrix=bt709"
_MONO = "aformat=channel_layouts=mono"
_LOUDNESS = f"{_MONO},ebur128=framelog=quiet"
# What somebody types for each rendition: filters of its track, and options of its output.
_BY_HAND = {
    "audio": (_MONO, ["-c:a", "libopus", "-b:a", "16k", "-application", "voip", "-f", "webm"]),
    "audio-aac": (_MONO, ["-c:a", "aac", "-b:a", "16k", "-ar", "16000", "-f", "mp4"]),
    "360p": (f"fps=15,scale=640:360:{_SD}", [*_H264, "-crf", "28", "-maxrate", "220k", "-bufsize", "330k", "-g", "60"]),
    "720p": (f"fps=30,scale=1280:720:{_HD}", [*_H264, "-crf", "25", "-maxrate", "1200k", "-bufsize", "2400k"]),
    "board": ("fps=5", [*_H264, "-crf", "26", "-tune", "stillimage", "-g", "50"]),
}


@dataclass(frozen=True)
class _Material:
    """A file, what it contains, the renditions that are made of it, and its strokes if it is a board."""

    name: str
    path: Path
    probed: Probe
    names: tuple[str, ...]
    timeline: ReplayTimeline | None = None

    @property
    def seconds(self) -> float:
        return self.probed.duration_ms / 1000

    @property
    def size(self) -> tuple[int, int]:
        assert self.probed.video is not None
        return self.probed.video.shown_size


def measure_media(scale: Scale) -> Figure:
    """Measure a lesson of a camera and one of a board; then an hour of strokes and voice."""
    figure = Figure("Renditions: one decoding for all, loudness measured before")
    binaries = find_binaries(Settings())
    with TemporaryDirectory() as name:
        folder = Path(name)
        lesson = _lesson(folder, binaries, scale)
        materials = [lesson, _board(folder, binaries, scale, lesson.path)]
        memory = max(_memory_of(material, folder, binaries) for material in materials)
        for material in materials:
            figure.readings += _readings(material, folder, binaries, scale.media_repeats)
        figure.readings += hour_of_board(folder, folder / "audio", scale, binaries)
    figure.readings.append(
        Reading("a media job: its ffmpeg and its process", memory, "MB", limit=Limit("value", "<", _MAX_MEMORY_MB))
    )
    figure.notes.append(
        f"Lesson and board of {scale.media_minutes:g} minutes. The peers run on the same file with the same ffmpeg,"
        " encoders, rates and colours, at the same priority; they make the storyboard by decoding everything, as"
        " PeerTube and Opencast do."
        f" {os.cpu_count()} cores, x264 on two threads. Other processes affect wall time, and processor time less."
        " The lesson is opaque; compositing a transparent one over white takes as long again as its 360p. Its sound is"
        " noise in syllables; with tones, `audio` is written twice to stay below its limit."
    )
    return figure


def _readings(material: _Material, folder: Path, binaries: Binaries, repeats: int) -> Iterator[Reading]:
    ours, separate, single = [], [], []
    for _repeat in range(repeats):
        ours.append(cost_of(lambda: _make(material, folder, binaries)))
        separate.append(cost_of(lambda: _run_separately(material, folder, binaries)))
        single.append(cost_of(lambda: _run_at_once(material, folder, binaries)))
    yield from _beside(f"{material.name}: all renditions, storyboard, loudness", ours, separate, "separate runs", 0.75)
    yield from _beside(f"{material.name}: the same", ours, single, "one command", 1.1)
    for name in material.names:
        hour = (folder / name).stat().st_size / material.seconds * 3600 / 1e6
        yield Reading(f"{material.name}: {name}, an hour", hour, "MB", limit=Limit("value", "≤", _MAX_MB[name]))
    if "360p" in material.names:
        alone = [cost_of(lambda: _write(material, folder, binaries, ["360p"])).wall for _repeat in range(repeats)]
        speed = material.seconds / median(alone)
        yield Reading(f"{material.name}: 360p alone, times real time", speed, "x", limit=Limit("value", "≥", 6.0))


def _beside(what: str, ours: Sequence[Cost], peer: Sequence[Cost], name: str, most: float) -> Iterator[Reading]:
    """The processor time beside the peer's, then the wall time."""
    limit = Limit("ratio", "≤", most)
    for unit, of in (("processor time", _processor), ("wall time", _wall)):
        yield Reading.of(f"{what}, {unit}", [of(cost) for cost in ours], "s", [of(cost) for cost in peer], name, limit)


def _processor(cost: Cost) -> float:
    return cost.processor


def _wall(cost: Cost) -> float:
    return cost.wall


def _memory_of(material: _Material, folder: Path, binaries: Binaries) -> float:
    """Megabytes of the largest ffmpeg so far, once ours have run and before the peers', and of this process."""
    _make(material, folder, binaries)
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return largest + psutil.Process().memory_info().rss / 1024**2


def _make(material: _Material, folder: Path, binaries: Binaries) -> None:
    """As the jobs do: the loudness, the sounds, the pictures, the storyboard."""
    _write(material, folder, binaries, [name for name in material.names if name in SOUNDS])
    _write(material, folder, binaries, [name for name in material.names if name in PICTURES])
    plan = plan_storyboard(material.probed.duration_ms, material.size)
    if material.timeline is not None:
        write_drawn_storyboard(material.timeline, folder, plan)
        return
    film = film_of(material.path, read_header(material.path, binaries), material.size, material.probed.duration_ms)
    if film is not None:
        write_storyboard(film, folder, plan, binaries)


def _write(material: _Material, folder: Path, binaries: Binaries, names: Sequence[str]) -> None:
    gain = 0.0
    if any(name in SOUNDS for name in names):
        gain = gain_of(measure_loudness(material.path, binaries, seconds=material.seconds))
    fast_copy = FastCopyFile(material.path, material.probed, gain)
    write_renditions(fast_copy, {name: folder / name for name in names}, binaries)


def _run_separately(material: _Material, folder: Path, binaries: Binaries) -> None:
    """One command for each rendition, one for the loudness, one for the storyboard."""
    source = ["-i", str(material.path)]
    for name in material.names:
        filters, options = _BY_HAND[name]
        kind = _kind(name)
        track = ["-map", f"0:{kind}:0", f"-filter:{kind}", filters, *options]
        _ffmpeg(binaries, [*source, *track, str(folder / f"peer-{name}")])
    _ffmpeg(binaries, [*source, "-vn", "-af", _LOUDNESS, "-f", "null", "-"])
    _ffmpeg(binaries, [*source, "-an", "-vf", _tiles(material), *_SHEET, str(folder / "peer.jpg")])


def _run_at_once(material: _Material, folder: Path, binaries: Binaries) -> None:
    """One command, which decodes once. Without a graph of its own for all, ffmpeg waits for itself now and then."""
    sounds = [name for name in material.names if name in SOUNDS]
    pictures = [name for name in material.names if name in PICTURES]
    graph = [
        f"[0:a:0]asplit={len(sounds) + 1}{''.join(f'[in-{name}]' for name in sounds)}[heard]",
        f"[heard]{_LOUDNESS},anullsink",
        f"[0:v:0]split={len(pictures) + 1}{''.join(f'[in-{name}]' for name in pictures)}[seen]",
        f"[seen]{_tiles(material)}[sheet]",
        *(f"[in-{name}]{_BY_HAND[name][0]}[{name}]" for name in material.names),
    ]
    words = ["-i", str(material.path), "-filter_complex", ";".join(graph)]
    for name in material.names:
        words += ["-map", f"[{name}]", *_BY_HAND[name][1], str(folder / f"peer-{name}")]
    _ffmpeg(binaries, [*words, "-map", "[sheet]", *_SHEET, str(folder / "peer.jpg")])


_SHEET = ["-frames:v", "1", "-q:v", "2", "-update", "1"]


def _tiles(material: _Material) -> str:
    interval = plan_storyboard(material.probed.duration_ms, material.size).interval_ms
    return f"fps=1/{math.ceil(interval / 1000)},scale=160:90,tile=10x10"


def _kind(name: str) -> str:
    return "a" if name in SOUNDS else "v"


def _ffmpeg(binaries: Binaries, words: Sequence[str]) -> None:
    # Ours run at this priority, for the sake of the rest of a worker.
    command = ["nice", "-n", "10", str(binaries.ffmpeg), "-v", "error", "-nostdin", "-y", *words]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def _lesson(folder: Path, binaries: Binaries, scale: Scale) -> _Material:
    recorded = write_recording(folder, binaries, repeats=repeats_for(scale.media_minutes))
    path = camera_lesson(recorded, folder, binaries)
    return _Material("a lesson", path, probe(path, binaries), ("audio", "audio-aac", "360p", "720p"))


def _board(folder: Path, binaries: Binaries, scale: Scale, voice: Path) -> _Material:
    """A board, with the sound of the lesson."""
    seconds = round(scale.media_minutes * 60)
    strokes = max(_PAGES, round(_STROKES_PER_HOUR * seconds / 3600))
    document = board_lesson(seconds=seconds, pages=_PAGES, strokes=strokes, points=30 * strokes)
    timeline = build_timeline(read_board(document))
    path = folder / "board.mp4"
    write_film(timeline, path, binaries, sounds=[Sound(voice, [SoundPiece(0, 0, timeline.duration_ms)])])
    return _Material("a board", path, probe(path, binaries), ("audio", "audio-aac", "board"), timeline)
