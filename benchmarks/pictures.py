"""Storyboards beside the commands of PeerTube and Opencast, which decode every frame: a filmed lesson and a board."""

import math
from collections.abc import Callable
from pathlib import Path
from subprocess import DEVNULL, run
from tempfile import TemporaryDirectory

from benchmarks.harness.figure import Figure, Limit, Reading
from benchmarks.harness.scale import Scale
from benchmarks.harness.timing import cost_of
from benchmarks.material.board_lesson import board_lesson
from benchmarks.material.samples import LESSON_FRAMES_PER_SECOND, repeats_for, write_recording
from worker.canvases.replay.build_timeline import build_timeline
from worker.canvases.replay.film import write_film
from worker.canvases.replay.storyboard import write_drawn_storyboard
from worker.canvases.stored.pages import read_board
from worker.media.decoding.sampling import film_of
from worker.media.pictures.storyboard import StoryboardPlan, plan_storyboard, write_storyboard
from worker.media.probing.header import read_header
from worker.media.processes.binaries import Binaries, find_binaries
from worker.settings import Settings

_REPEATS = 5
_SIZE = (1280, 720)
# Of the filmed lesson, and at most of the film of a board.
_FRAMES_PER_SECOND, _FILM_FRAMES_PER_SECOND = 15, 5


def measure_pictures(scale: Scale) -> Figure:
    """Measure the storyboards of a lesson of twenty minutes, filmed and on a board."""
    seconds = round(scale.long_minutes * 20)
    repeats = _REPEATS if scale.long_minutes >= 60 else 1
    figure = Figure("Pictures: the storyboard of a lesson, without decoding all of it")
    with TemporaryDirectory() as name:
        folder, binaries = Path(name), find_binaries(Settings())
        figure.readings += [*_filmed(folder, binaries, seconds, repeats), *_drawn(folder, binaries, seconds, repeats)]
    figure.notes.append(
        "Processor time of the program and of ffmpeg, because others use this machine too. PeerTube's command selects"
        " by `mod(t, interval)` and Opencast's by `fps=1/interval`; both decode every frame of the same file, into"
        " tiles of the same size. The board's storyboard is drawn from its strokes; the peers decode either a board"
        " recording as a browser uploads it, or our film of the strokes, which has at most 5 frames a second. Reading"
        " the strokes from the database is not included, nor is downloading the recording for the others."
    )
    return figure


def _filmed(folder: Path, binaries: Binaries, seconds: int, repeats: int) -> list[Reading]:
    path = folder / "lesson.mp4"
    # A camera: noise all over a picture that moves, a key frame every two seconds as browsers write them.
    picture = f"testsrc2=s=1280x720:r={_FRAMES_PER_SECOND}:d={seconds},noise=alls=6:allf=t"
    words = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "30", "-g", "30", "-pix_fmt", "yuv420p"]
    _ffmpeg(binaries, "-f", "lavfi", "-i", picture, *words, str(path))
    film = film_of(path, read_header(path, binaries), _SIZE, seconds * 1000)
    if film is None:
        raise RuntimeError("the lesson has no picture")
    plan = plan_storyboard(film.duration_ms, _SIZE)
    ours = _times(repeats, lambda: write_storyboard(film, folder, plan, binaries))
    what = f"{seconds / 60:g} min of 1280x720 at {_FRAMES_PER_SECOND} frames a second: key frames to sheets"
    peers = _peers(path, _FRAMES_PER_SECOND, plan, binaries, repeats)
    return [_reading(f"{what} ({name})", ours, peer, 10) for name, peer in peers]


def _drawn(folder: Path, binaries: Binaries, seconds: int, repeats: int) -> list[Reading]:
    path = folder / "board.mp4"
    strokes = max(20, seconds * 5 // 6)
    timeline = build_timeline(read_board(board_lesson(seconds=seconds, pages=4, strokes=strokes, points=strokes * 30)))
    write_film(timeline, path, binaries)
    plan = plan_storyboard(timeline.duration_ms, _SIZE)
    uploaded = write_recording(folder, binaries, repeats=repeats_for(seconds / 60))
    ours = _times(repeats, lambda: write_drawn_storyboard(timeline, folder, plan))
    what = f"a board of {seconds / 60:g} min, {strokes} strokes: strokes to sheets"
    readings = [
        _reading(f"{what} ({name}, {decoded})", ours, peer, 100)
        for decoded, path, rate in (
            ("a browser's recording", uploaded, LESSON_FRAMES_PER_SECOND),
            ("our film", path, _FILM_FRAMES_PER_SECOND),
        )
        for name, peer in _peers(path, rate, plan, binaries, repeats)
    ]
    sheets = write_drawn_storyboard(timeline, folder, plan)
    size = sum(sheet.path.stat().st_size for sheet in sheets)
    return [*readings, Reading("all sheets of the board", size / 1e3, "kB")]


def _peers(
    path: Path, frames_per_second: int, plan: StoryboardPlan, binaries: Binaries, repeats: int
) -> list[tuple[str, list[float]]]:
    interval = math.ceil(plan.interval_ms / 1000)
    tiles = "scale=160:90,tile=10x10"
    commands = {
        "PeerTube": f"setpts=N/{frames_per_second}/TB,select='not(mod(t,{interval}))',{tiles}",
        "Opencast": f"fps=1/{interval},{tiles}",
    }
    return [
        (name, _times(repeats, lambda words=words: _sheet(binaries, path, words)))  # type: ignore[misc]
        for name, words in commands.items()
    ]


def _sheet(binaries: Binaries, path: Path, filters: str) -> None:
    sheet = path.with_suffix(".jpg")
    _ffmpeg(binaries, "-i", str(path), "-vf", filters, "-frames:v", "1", "-q:v", "2", str(sheet))


def _ffmpeg(binaries: Binaries, *words: str) -> None:
    run([binaries.ffmpeg, "-v", "error", "-nostdin", "-y", *words], check=True, stdin=DEVNULL)


def _times(repeats: int, work: Callable[[], object]) -> list[float]:
    return [cost_of(work).processor for _repeat in range(repeats)]


def _reading(what: str, ours: list[float], peer: list[float], times_faster: int) -> Reading:
    limit = Limit("ratio", "≤", 1 / times_faster)
    return Reading.of(what, ours, "s", peer, "every frame decoded", limit)
