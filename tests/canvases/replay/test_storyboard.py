"""Tiles of a board hold what a still drawing of the same strokes holds at that moment."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from worker.canvases.replay.build_timeline import build_timeline
from worker.canvases.replay.frame_canvas import FrameCanvas, blank_frame
from worker.canvases.replay.storyboard import draw_tiles, write_drawn_storyboard
from worker.canvases.replay.timeline import PageShown, ReplayTimeline
from worker.canvases.stored.pages import read_board
from worker.media.decoding.frame_capture import jpeg_size
from worker.media.pictures.storyboard import plan_storyboard

BEGIN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
WIDTH, HEIGHT = 160, 90


def stroke(start: float, end: float, left: int, gone: float | None = None) -> dict[str, Any]:
    return {
        "stroke_type": "pen",
        "stroke_data": {"points": [[left, 100], [left + 150, 700]], "color": "#000000", "width": 30},
        "started_at": BEGIN + timedelta(seconds=start),
        "ended_at": BEGIN + timedelta(seconds=end),
        "created_at": BEGIN + timedelta(seconds=end),
        "deleted_at": None if gone is None else BEGIN + timedelta(seconds=gone),
    }


def lesson() -> ReplayTimeline:
    """Two pages, a stroke that takes ten seconds, one that is undone, and a turn back."""
    pages = [
        [stroke(0, 1, 100), stroke(3, 13, 300), stroke(15, 16, 500, gone=22), stroke(24, 25, 700)],
        [stroke(30, 31, 900)],
    ]
    document = {
        "pages": [
            {"page_number": number + 1, "background_color": "#FFFFFF", "strokes": strokes}
            for number, strokes in enumerate(pages)
        ]
    }
    turns = [PageShown(BEGIN + timedelta(seconds=at), page) for at, page in ((0, 0), (28, 1), (35, 0))]
    return build_timeline(read_board(document, ever=True), turns=turns)


def test_each_tile_is_the_board_at_its_moment() -> None:
    timeline = lesson()
    times = range(0, timeline.duration_ms, 1300)
    seen = set()
    for at, tile in zip(times, draw_tiles(timeline, times, WIDTH, HEIGHT), strict=True):
        page = timeline.page_at(at)
        expected = blank_frame(WIDTH, HEIGHT)
        canvas = FrameCanvas(timeline.pages[page], expected)
        canvas.draw(timeline.shapes_at(at, page), canvas.whole, over=False)
        assert np.abs(tile.astype(int) - expected.astype(int)).max() <= 1, at
        seen.add(tile.tobytes())
    assert len(seen) > 10


def test_sheets_cover_the_whole_replay(tmp_path: Path) -> None:
    timeline = lesson()
    plan = plan_storyboard(timeline.duration_ms, (1280, 720))
    (sheet,) = write_drawn_storyboard(timeline, tmp_path, plan)
    assert jpeg_size(sheet.path) == (sheet.width, sheet.height)
    assert sheet.times_ms == tuple(range(0, timeline.duration_ms, plan.interval_ms))
    assert timeline.duration_ms - sheet.times_ms[-1] <= plan.interval_ms
