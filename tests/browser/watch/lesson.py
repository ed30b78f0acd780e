"""A lesson whose strokes, film and sound say which time they show: a ruler that grows from left to right at a constant
speed, and a tone that begins with every other second."""

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from worker.canvases.board import DrawnPage
from worker.canvases.replay.replay_json import pack_replay
from worker.canvases.replay.timeline import ReplayTimeline, TimedStroke, Turn
from worker.canvases.shapes import Circle, Colour, Lines, Text
from worker.media.processes.binaries import Binaries

SECONDS = 12
WIDTH, HEIGHT = 1280, 720
# The ruler as a share of the picture: from its left edge to its right one, at this height.
LEFT, RIGHT, RULER = 0.05, 0.95, 0.9
RULER_WIDTH = 20
# The ends of a stroke are round: this share of the picture is drawn beyond the last point.
CAP = RULER_WIDTH / 2 / WIDTH
INK = Colour(0x1A, 0x5F, 0xB4)
_TONES = f"aevalsrc=0.5*sin(880*2*PI*t)*lt(mod(t\\,2)\\,0.5):d={SECONDS}:s=48000"
# Each pixel is computed in the rows of the ruler alone, a tenth of the picture.
_RULER = (
    f"color=white:s=640x36:r=10:d={SECONDS},geq="
    f"lum='if(gt(X,W*{LEFT})*lt(X,W*({LEFT}+{RIGHT - LEFT}*T/{SECONDS})),60,235)':cb=128:cr=128"
    ",pad=640:360:0:306:white"
)


@dataclass(frozen=True)
class LessonFiles:
    """The objects of a lesson, by the names of their renditions: file, media type, codecs."""

    replay: Path
    audio: Path
    film: Path
    playback: Path


def timeline() -> ReplayTimeline:
    """Two pages: writing, a circle and a text on the first, the second from the middle on; the ruler on both."""
    middle = SECONDS * 500
    pages = (_page(1, "Fractions"), _page(2, "Halves"))
    strokes = [
        TimedStroke(0, 1, Text(("One half of one half",), 100, 150, 48, Colour(20, 20, 20)), 500, 3000, None),
        TimedStroke(0, 2, Circle(640, 360, 120, 6, Colour(0xA5, 0x1D, 0x2D)), 3000, 4500, None),
        TimedStroke(0, 3, _wave(200), 4500, 5800, None),
        TimedStroke(1, 1, Text(("አንድ አራተኛ",), 100, 150, 48, Colour(20, 20, 20)), middle + 500, middle + 2500, None),
        TimedStroke(1, 2, _wave(300), middle + 2500, middle + 5000, None),
    ]
    strokes += [TimedStroke(page, 10, _ruler(), 0, SECONDS * 1000, None) for page in (0, 1)]
    strokes.sort(key=lambda stroke: stroke.start)
    return ReplayTimeline(
        "Fractions", pages, tuple(strokes), (Turn(0, 0), Turn(middle, 1)), SECONDS * 1000, datetime.now(UTC)
    )


def make_lesson(binaries: Binaries, folder: Path) -> LessonFiles:
    """Write the files."""
    files = LessonFiles(*(folder / name for name in ("replay.json", "audio.webm", "film.mp4", "playback.webm")))
    files.replay.write_bytes(pack_replay(timeline()))
    opus = ["-c:a", "libopus", "-b:a", "16k", "-ac", "1", "-frame_duration", "60"]
    _run(binaries, "-f", "lavfi", "-i", _TONES, *opus, "-cues_to_front", "1", str(files.audio))
    h264 = ["-c:v", "libx264", "-profile:v", "main", "-pix_fmt", "yuv420p", "-g", "20"]
    fragments = ["-movflags", "frag_keyframe+default_base_moof+global_sidx+delay_moov"]
    _run(binaries, "-f", "lavfi", "-i", _RULER, *h264, *fragments, str(files.film))
    vp8 = ["-c:v", "libvpx", "-threads", "1", "-b:v", "300k", "-g", "20", "-deadline", "realtime", "-cpu-used", "8"]
    both = ["-i", str(files.film), "-i", str(files.audio), "-map", "0:v", "-map", "1:a", *vp8, "-c:a", "copy"]
    _run(binaries, *both, "-cues_to_front", "1", str(files.playback))
    return files


def _run(binaries: Binaries, *arguments: str) -> None:
    subprocess.run([str(binaries.ffmpeg), "-v", "error", "-y", *arguments], check=True)


def _page(number: int, title: str) -> DrawnPage:
    return DrawnPage(number, title, WIDTH, HEIGHT, Colour(255, 255, 255), (), page_id=number)


def _ruler() -> Lines:
    xs = np.linspace(WIDTH * LEFT, WIDTH * RIGHT, 121)
    return Lines((np.column_stack([xs, np.full_like(xs, HEIGHT * RULER)]),), RULER_WIDTH, INK)


def _wave(y: float) -> Lines:
    xs = np.linspace(100, 1100, 200)
    return Lines((np.column_stack([xs, y + 60 + 40 * np.sin(xs / 30)]),), 4, Colour(30, 30, 30))
