"""What a page plays by itself: docs/replay-json.md, read back as a player reads it."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from worker.canvases.board import DrawnBoard
from worker.canvases.replay.build_timeline import build_timeline
from worker.canvases.replay.replay_json import pack_replay, replay_document
from worker.canvases.replay.timeline import PageShown
from worker.canvases.stored.pages import read_board

BEGIN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
DOCS = Path(__file__).parents[3] / "docs"
STROKES: list[tuple[str, dict[str, Any]]] = [
    ("pen", {"points": [[10.04, 20], [10.5, 21.25], [-3, 0]], "color": "#1d4ed8", "width": 4}),
    ("eraser", {"points": [[0, 0], [9, 9]], "color": "#000", "width": 30}),
    ("line", {"startX": 1, "startY": 2, "endX": 3, "endY": 4}),
    ("rectangle", {"x": 50, "y": 60, "width": 140, "height": 70, "color": "#334155"}),
    ("circle", {"x": 220, "y": 140, "radius": 45, "color": "rgba(255,0,0,0.5)", "width": 3}),
    ("triangle", {"points": [[0, 0], [40, 0], [20, 30]]}),
    ("arrow", {"points": [[0, 0], [100, 0]]}),
    (
        "text",
        {"text": "ምሳሌ\ntwo", "x": 30, "y": 84.25, "fontSize": 18, "formatting": {"bold": True, "underline": True}},
    ),
]


def board() -> DrawnBoard:
    strokes = [
        {
            "stroke_type": kind,
            "stroke_data": data,
            "stroke_order": number,
            "started_at": BEGIN + timedelta(seconds=number),
            "ended_at": BEGIN + timedelta(seconds=number + 0.5),
            **({"deleted_at": BEGIN + timedelta(seconds=30)} if kind == "line" else {}),
        }
        for number, (kind, data) in enumerate(STROKES)
    ]
    pages = [{"page_id": 7, "page_number": 1, "page_title": "One", "strokes": strokes}, {"background_color": "#123456"}]
    return read_board({"pages": pages}, title="Algebra")


def document() -> dict[str, Any]:
    return replay_document(build_timeline(board(), turns=[PageShown(BEGIN + timedelta(seconds=20), 1)]))


def test_the_document() -> None:
    replay = document()
    assert replay["title"] == "Algebra"
    assert replay["started_at"] == "2026-03-02T07:59:59+00:00"
    assert replay["duration_ms"] == 33_000
    assert replay["turns"] == [[0, 0], [21_000, 1]]
    assert replay["pages"][0] == {
        "page_id": 7,
        "page_number": 1,
        "page_title": "One",
        "width": 1200,
        "height": 800,
        "background_color": "#ffffff",
    }
    assert replay["pages"][1]["background_color"] == "#123456"
    assert [(stroke["kind"], stroke["start"], stroke["end"]) for stroke in replay["strokes"]] == [
        (kind, 1000 + 1000 * number, 1500 + 1000 * number)
        for number, kind in enumerate(["pen", "eraser", "pen", "shape", "circle", "shape", "shape", "text"])
    ]
    assert [stroke.get("gone") for stroke in replay["strokes"]] == [None, None, 31_000, None, None, None, None, None]


def test_points_are_tenths_of_pixels_from_one_to_the_next() -> None:
    pen = document()["strokes"][0]
    assert pen["contours"] == [[100, 200, 5, 12, -135, -212]]
    assert (pen["color"], pen["width"]) == ("#1d4ed8", 4)


def test_shapes_and_letters() -> None:
    _pen, eraser, _line, rectangle, circle, _triangle, arrow, text = document()["strokes"]
    assert "color" not in eraser
    assert (rectangle["closed"], len(rectangle["contours"][0])) == (True, 8)
    assert (circle["x"], circle["radius"], circle["color"]) == (2200, 450, "#ff000080")
    assert [len(contour) for contour in arrow["contours"]] == [4, 6]
    assert (text["lines"], text["y"], text["bold"], text.get("italic")) == (["ምሳሌ", "two"], 842, True, None)


def test_read_back_points_are_where_they_were() -> None:
    timeline = build_timeline(board())
    for stroke, stroke_document in zip(timeline.strokes, replay_document(timeline)["strokes"], strict=True):
        for contour, deltas in zip(
            getattr(stroke.shape, "contours", ()), stroke_document.get("contours", ()), strict=True
        ):
            points = np.cumsum(np.array(deltas).reshape(-1, 2), axis=0) / 10
            assert np.abs(points - contour).max() <= 0.05 + 1e-9


def test_the_same_board_is_the_same_bytes() -> None:
    packed = [pack_replay(build_timeline(board())) for _ in range(2)]
    assert packed[0] == packed[1]
    assert json.loads(gzip.decompress(packed[0])) == replay_document(build_timeline(board()))


def test_every_word_of_the_format_is_described() -> None:
    described = (DOCS / "replay-json.md").read_text(encoding="utf-8")
    replay = document()
    words = {*replay, *replay["pages"][0], *(word for stroke in replay["strokes"] for word in stroke)}
    assert [word for word in sorted(words) if f"`{word}`" not in described] == []
    assert f"version {replay['version']}" in described
