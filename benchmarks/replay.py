"""Rendering an hour of a board as a film, against the limit of a minute."""

import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.harness.figure import Figure, Limit, Reading
from benchmarks.harness.scale import Scale
from benchmarks.harness.timing import processor_seconds
from benchmarks.material.board_lesson import board_lesson
from worker.canvases.replay.build_timeline import build_timeline
from worker.canvases.replay.film import frames_of, write_film
from worker.canvases.replay.replay_json import pack_replay
from worker.canvases.replay.timeline import ReplayTimeline
from worker.canvases.stored.pages import read_board
from worker.media.processes.binaries import find_binaries
from worker.settings import Settings

_PAGES, _STROKES, _POINTS = 10, 3000, 90_000
_REPEATS = 3
_SECONDS = 60.0


def measure_replay(scale: Scale) -> Figure:
    """Measure a lesson of an hour: ten pages, 3000 strokes of 30 points, with drawing half of the time."""
    minutes = scale.long_minutes
    share = minutes / 60
    figure = Figure("Replay: a board lesson filmed in 1280x720")
    document = board_lesson(
        seconds=round(minutes * 60), pages=_PAGES, strokes=round(_STROKES * share), points=round(_POINTS * share)
    )
    what = f"{minutes:g} min ({_PAGES} pages, {round(_STROKES * share)} strokes): strokes to mp4"
    walls, cpus, drawing = [], [], []
    with TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        for _repeat in range(_REPEATS if minutes >= 60 else 1):
            before, begun = processor_seconds(), time.perf_counter()
            timeline = build_timeline(read_board(document))
            write_film(timeline, film, find_binaries(Settings()))
            walls.append(time.perf_counter() - begun)
            cpus.append(processor_seconds() - before)
        size = film.stat().st_size
    frames, seconds = _draw(timeline)
    drawing.append(seconds)
    figure.readings += [
        Reading.of(what, walls, "s", limit=Limit("value", "≤", _SECONDS)),
        Reading.of("the same, processor time of both programs", cpus, "s"),
        Reading.of(f"of it drawing {frames} frames, encoding left out", drawing, "s"),
        Reading("the film", size / 1e6, "MB"),
        Reading("its replay.json", len(pack_replay(timeline)) / 1e3, "kB"),
    ]
    figure.notes.append(
        f"Ten frames a second while something changes, none otherwise; {os.cpu_count()} cores, x264 on two threads next"
        " to the process that draws. Other processes affect wall time, and processor time less."
    )
    return figure


def _draw(timeline: ReplayTimeline) -> tuple[int, float]:
    begun = time.process_time()
    return sum(1 for _frame in frames_of(timeline)), time.process_time() - begun
