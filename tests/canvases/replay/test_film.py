"""The film of a board: at the moment of every frame it holds what a still drawing of the same strokes holds."""

import itertools
import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.waiting import TIMEOUT
from worker.canvases.board import DrawnPage
from worker.canvases.drawing.raster import write_png
from worker.canvases.replay.build_timeline import build_timeline
from worker.canvases.replay.film import HOLD_MS, TICK_MS, ReplayTooLong, frames_of, write_film
from worker.canvases.replay.frame_canvas import HEIGHT, WIDTH, FrameCanvas, blank_frame
from worker.canvases.replay.incremental_page import IncrementalPage
from worker.canvases.replay.timeline import PageShown, ReplayTimeline
from worker.canvases.stored.pages import read_board
from worker.media.errors import Stopped
from worker.media.processes.binaries import Binaries, find_binaries
from worker.settings import Settings

BEGIN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
# Of 255, on average of eight by eight pixels. A shape that was clipped before it was drawn has edges that the engine
# rounds otherwise; a missing pen's width of black ink is 32.
ROUNDING = 16


@pytest.fixture(scope="module")
def binaries() -> Binaries:
    return find_binaries(Settings())


def still(timeline: ReplayTimeline, page: DrawnPage, index: int, at: int) -> Any:
    """The frame drawn at once, from nothing."""
    pixels = blank_frame()
    canvas = FrameCanvas(page, pixels)
    canvas.draw(timeline.shapes_at(at, index), canvas.whole, over=False)
    return pixels


def row(kind: str, data: dict[str, Any], start: float, end: float, **more: Any) -> dict[str, Any]:
    instants = {"started_at": start, "ended_at": end, "created_at": end}
    return {
        "stroke_type": kind,
        "stroke_data": data,
        **{name: BEGIN + timedelta(seconds=seconds) for name, seconds in instants.items()},
        **more,
    }


places = st.tuples(st.integers(-50, 1300), st.integers(-50, 900))
drawn_points = st.lists(places, min_size=2, max_size=6)
inks = st.fixed_dictionaries(
    {"color": st.sampled_from(["#000", "#c00", "rgba(0,80,255,0.4)"]), "width": st.integers(1, 40)}
)
stored_strokes = st.one_of(
    st.tuples(
        st.sampled_from(["pen", "eraser", "line", "rectangle", "circle", "triangle", "arrow"]),
        st.builds(lambda points, ink: {"points": [list(p) for p in points], **ink}, drawn_points, inks),
    ),
    st.tuples(
        st.just("text"),
        st.builds(
            lambda place, size: {"text": "Abgy ምሳሌ\nÄÅ", "x": place[0], "y": place[1], "fontSize": size},
            places,
            st.integers(8, 60),
        ),
    ),
)


@st.composite
def strokes(draw: Any) -> list[dict[str, Any]]:
    """Strokes that overlap in space and in time, in an order of their own; some of them are taken back."""
    rows = []
    for number, (kind, data) in enumerate(draw(st.lists(stored_strokes, min_size=1, max_size=8))):
        start, length = draw(st.integers(0, 80)) / 10, draw(st.integers(0, 40)) / 10
        deletion = draw(st.none() | st.integers(0, 150))
        deleted = {} if deletion is None else {"deleted_at": BEGIN + timedelta(seconds=deletion / 10)}
        rows.append(row(kind, data, start, start + length, stroke_order=number, **deleted))
    return rows


# Without shrinking: it would draw for minutes.
@settings(max_examples=20, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(strokes(), st.lists(st.integers(0, 15_000), min_size=1, max_size=5))
def test_at_any_time_the_stage_holds_the_strokes_up_to_then(rows: list[dict[str, Any]], moments: list[int]) -> None:
    board = read_board({"background_color": "#ffe", "strokes": rows})
    if not board.pages[0].drawn:
        return
    timeline = build_timeline(board)
    stage = IncrementalPage(board.pages[0], timeline.strokes)
    for at in sorted(moments):
        stage.advance(at)
        expected = still(timeline, board.pages[0], 0, at)
        difference = np.abs(stage.pixels.astype(int) - expected).max(axis=2)
        worst = float(difference.reshape(HEIGHT // 8, 8, WIDTH // 8, 8).mean(axis=(1, 3)).max())
        assert worst <= ROUNDING, f"at {at} ms"


def lesson() -> dict[str, Any]:
    """Two pages; ink, an eraser over it, something undone, and a minute of silence."""
    return {
        "pages": [
            {
                "page_title": "One",
                "page_number": 1,
                "strokes": [
                    row("pen", {"points": [[100, 100], [600, 500], [1100, 100]], "color": "#1d4ed8", "width": 8}, 0, 3),
                    row("rectangle", {"x": 300, "y": 200, "width": 400, "height": 300, "color": "#b91c1c"}, 4, 5),
                    row("text", {"text": "ምሳሌ አንድ", "x": 200, "y": 600, "fontSize": 48, "color": "#047857"}, 5, 7),
                    row("eraser", {"points": [[50, 250], [1150, 350]], "color": "#000", "width": 60}, 8, 9),
                    row(
                        "line",
                        {"points": [[0, 700], [1200, 700]], "color": "#f0f", "width": 20},
                        9,
                        9.5,
                        deleted_at=BEGIN + timedelta(seconds=12),
                    ),
                ],
            },
            {
                "page_title": "Two",
                "page_number": 2,
                "background_color": "#204020",
                "strokes": [row("circle", {"x": 600, "y": 400, "radius": 300, "color": "#fff", "width": 9}, 75, 77)],
            },
        ]
    }


@pytest.fixture(scope="module")
def film(binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> tuple[ReplayTimeline, Path]:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    board = read_board(lesson())
    timeline = build_timeline(board, turns=[PageShown(BEGIN + timedelta(seconds=79), 0)])
    write_film(timeline, path, binaries)
    return timeline, path


def decoded(binaries: Binaries, path: Path, at: float) -> Any:
    """The picture that a player shows at that second."""
    # A seek would give the next frame that there is, not the one that is still shown.
    shown = ["-vf", "fps=10", "-ss", f"{at - 0.05:.3f}", "-frames:v", "1"]
    command: list[str | Path] = [binaries.ffmpeg, "-v", "error", "-nostdin", "-i", path, *shown]
    raw = subprocess.run(
        [*command, "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"], check=True, capture_output=True, timeout=TIMEOUT
    ).stdout
    return np.frombuffer(raw, np.uint8).reshape(HEIGHT, WIDTH, 3).astype(int)


def assert_alike(picture: Any, other: Any) -> None:
    """Coding blurs edges and keeps everything else."""
    difference = np.abs(picture - other).max(axis=2)
    assert difference.mean() < 4
    assert (difference > 64).mean() < 0.01
    # Nothing of any size is there in the one and not in the other: 8 by 8 pixels on average.
    blocks = (picture - other).reshape(HEIGHT // 8, 8, WIDTH // 8, 8, 3).mean(axis=(1, 3))
    assert np.abs(blocks).max() < 24


@pytest.mark.parametrize("at", [0.1, 2.0, 2.5, 4.5, 6.3, 9.0, 9.6, 10.3, 12.9, 13.0, 40.0, 77.4, 79.9, 80.1])
def test_the_film_shows_the_board_of_that_moment(
    at: float, film: tuple[ReplayTimeline, Path], binaries: Binaries
) -> None:
    timeline, path = film
    moment = round(at * 1000)
    index = timeline.page_at(moment)
    expected = still(timeline, timeline.pages[index], index, moment)[:, :, :3].astype(int)
    assert_alike(decoded(binaries, path, at), expected)


def test_the_last_picture_of_a_page_is_its_png(
    film: tuple[ReplayTimeline, Path], binaries: Binaries, tmp_path: Path
) -> None:
    timeline, path = film
    page = timeline.pages[0]
    with (tmp_path / "page.png").open("wb") as out:
        write_png(page, out, scale=0.9)
    command: list[str | Path] = [
        binaries.ffmpeg,
        "-v",
        "error",
        "-i",
        tmp_path / "page.png",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-",
    ]
    raw = subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT).stdout
    png = np.frombuffer(raw, np.uint8).reshape(720, 1080, 3).astype(int)
    frame = decoded(binaries, path, 30.0)
    expected = frame.copy()
    expected[:, 100:1180] = png
    assert_alike(frame, expected)
    assert np.ptp(frame[:, :90].reshape(-1, 3), axis=0).max() <= 4  # beside the page there is nothing


def test_what_players_need(film: tuple[ReplayTimeline, Path], binaries: Binaries) -> None:
    timeline, path = film
    entries = "stream=codec_name,width,height,pix_fmt,color_space,color_range,has_b_frames:format=duration"
    command: list[str | Path] = [binaries.ffprobe, "-v", "error", "-of", "json", "-show_entries", entries, path]
    document = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT).stdout)
    assert document["streams"] == [
        {
            "codec_name": "h264",
            "width": 1280,
            "height": 720,
            "has_b_frames": 0,
            "pix_fmt": "yuv420p",
            "color_range": "tv",
            "color_space": "bt709",
        }
    ]
    assert float(document["format"]["duration"]) == pytest.approx(timeline.duration_ms / 1000, abs=0.11)

    command = [
        binaries.ffprobe,
        "-v",
        "error",
        "-of",
        "csv=p=0",
        "-show_entries",
        "packet=pts_time,flags",
        path,
    ]
    packets = subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT, text=True).stdout.split()
    times = [float(packet.split(",")[0]) for packet in packets]
    keys = [float(packet.split(",")[0]) for packet in packets if "K" in packet.split(",")[1]]
    assert max(later - earlier for earlier, later in itertools.pairwise(times)) <= HOLD_MS / 1000
    assert max(later - earlier for earlier, later in itertools.pairwise([*keys, times[-1]])) <= 10


def test_still_time_costs_nothing(film: tuple[ReplayTimeline, Path]) -> None:
    timeline, _path = film
    frames = [at for at, _planes in frames_of(timeline)]
    assert all(at % TICK_MS == 0 for at in frames)
    assert [at for at in frames if 14_000 < at < 75_000] == list(range(15_000, 75_000, HOLD_MS))


def test_the_same_strokes_are_the_same_bytes(
    film: tuple[ReplayTimeline, Path], binaries: Binaries, tmp_path: Path
) -> None:
    timeline = build_timeline(read_board(lesson()), turns=[PageShown(BEGIN + timedelta(seconds=79), 0)])
    write_film(timeline, tmp_path / "again.mp4", binaries)
    assert (tmp_path / "again.mp4").read_bytes() == film[1].read_bytes()


def test_more_pages_than_are_kept(binaries: Binaries) -> None:
    """A page that was put away is redrawn when somebody turns back to it."""
    pages = [
        {"strokes": [row("line", {"points": [[9, 9 + n], [900, 700]], "width": 9}, n, n + 0.5)]} for n in range(12)
    ]
    board = read_board({"pages": pages})
    turns = [PageShown(BEGIN + timedelta(seconds=20 + n), n) for n in range(12)]
    timeline = build_timeline(board, turns=turns)
    for at, planes in frames_of(timeline):
        index = timeline.page_at(at)
        stage = IncrementalPage(board.pages[index], [stroke for stroke in timeline.strokes if stroke.page == index])
        stage.advance(at)
        assert np.array_equal(stage.picture.planes, planes)


def test_a_film_that_is_stopped_leaves_nothing(
    film: tuple[ReplayTimeline, Path], binaries: Binaries, tmp_path: Path
) -> None:
    stop_answers = iter([False] * 3)
    with pytest.raises(Stopped):
        write_film(film[0], tmp_path / "film.mp4", binaries, should_stop=lambda: next(stop_answers, True))
    assert list(tmp_path.iterdir()) == []


def test_a_week_is_not_filmed_and_the_remedy_is_told(binaries: Binaries, tmp_path: Path) -> None:
    rows = [row("line", {"points": [[0, 0], [9, 9]]}, start, start + 1) for start in (0, 7 * 86_400)]
    board = read_board({"strokes": rows})
    with pytest.raises(ReplayTooLong, match="shorten_idle"):
        write_film(build_timeline(board), tmp_path / "film.mp4", binaries)
    write_film(build_timeline(board, shorten_idle=True), tmp_path / "film.mp4", binaries)
    assert (tmp_path / "film.mp4").stat().st_size > 1000
