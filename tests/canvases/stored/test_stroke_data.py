"""Any stored strokes yield a page, and strokes that are not drawn are named."""

import io
import json
import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.waiting import TIMEOUT
from worker.canvases.board import DrawnPage
from worker.canvases.drawing.raster import write_png, write_thumbnail
from worker.canvases.drawing.svg import write_svg
from worker.canvases.limits import FARTHEST, LARGEST_FONT, LONGEST_SIDE, MAX_POINTS_OF_STROKE, WIDEST_PEN
from worker.canvases.stored.json_text import read_document
from worker.canvases.stored.pages import read_board, read_page
from worker.errors import InvalidInput

pytestmark = pytest.mark.drawing


def _stroke(stroke_type: Any, data: Any, order: int = 1) -> dict[str, Any]:
    return {"stroke_type": stroke_type, "stroke_data": data, "stroke_order": order}


def _draw(page: DrawnPage, scale: float = 0.1) -> bytes:
    out = io.BytesIO()
    write_png(page, out, scale)
    assert out.getvalue().startswith(b"\x89PNG")
    return out.getvalue()


SKIPPED: list[tuple[Any, Any, str]] = [
    ("laser", {"points": [[1, 2], [3, 4]]}, "unknown type 'laser'"),
    ("x" * 10_000, {}, "unknown type"),
    (7, {}, "no type"),
    ([["deep"]], {}, "no type"),
    ("pen", None, "not an object"),
    ("pen", [1, 2], "not an object"),
    ("pen", {}, "no points"),
    ("pen", {"points": "M 0 0"}, "single point"),
    ("pen", {"points": {"0": [1, 2]}}, "no points"),
    ("pen", {"points": [[1, 2]]}, "single point"),
    ("pen", {"points": [[5, 5], [5, 5]]}, "no length"),
    ("pen", {"points": [[math.nan, 1], [2, math.inf], [3]]}, "no points"),
    ("pen", {"points": [[10**400, 1], [1, -(10**400)]]}, "no points"),
    ("eraser", {"points": [None, {}, [], "ab", 4]}, "no points"),
    ("line", {"startX": 1, "startY": 2, "endX": 3}, "endY"),
    ("line", {"startX": True, "startY": 2, "endX": 3, "endY": 4}, "startX"),
    ("rectangle", {"x": 1, "y": 1, "width": "wide", "height": 3}, "width"),
    ("rectangle", {"x": 5, "y": 5, "width": 0, "height": 0}, "no length"),
    ("circle", {"x": 1, "y": 1, "radius": -3}, "negative"),
    ("circle", {"x": 1, "y": 1, "radius": 0}, "no length"),
    ("circle", {"x": 1, "y": 1, "radius": math.nan}, "radius"),
    ("triangle", {"points": []}, "no points"),
    ("arrow", {"points": [[1, 2]]}, "single point"),
    ("text", {"x": 1, "y": 1}, "no text"),
    ("text", {"x": 1, "y": 1, "text": 12}, "no text"),
    ("text", {"x": 1, "y": 1, "text": " \t\n\x00\x07\ud83d "}, "no text"),
    ("text", {"text": "where?"}, "x, y"),
    ("text", {"text": "there", "x": math.inf, "y": 10**400}, "x, y"),
]


@pytest.mark.parametrize(("stroke_type", "data", "reason"), SKIPPED)
def test_what_cannot_be_drawn_is_skipped_and_named(stroke_type: Any, data: Any, reason: str) -> None:
    good = _stroke("line", {"startX": 0, "startY": 0, "endX": 100, "endY": 100}, order=2)
    page = read_page({"strokes": [_stroke(stroke_type, data), good]})

    assert [stroke.order for stroke in page.drawn] == [2]
    assert [stroke.order for stroke in page.skipped] == [1]
    assert reason in page.skipped[0].reason
    assert len(page.skipped[0].reason) < 200
    assert _draw(page) == _draw(read_page({"strokes": [good]}))


BENT: list[tuple[str, dict[str, Any], str]] = [
    ("pen", {"points": [[1, 1], None, [2, "x"], [30, 30]]}, "2 of its points"),
    ("pen", {"points": [[-1e308, 1e308], [30, 30]]}, "too far away"),
    ("pen", {"points": [[1, 1], [30, 30]], "color": "not a colour"}, "color"),
    ("pen", {"points": [[1, 1], [30, 30]], "color": ["#000"]}, "color"),
    ("pen", {"points": [[1, 1], [30, 30]], "color": "#" * 10_000}, "color"),
    ("pen", {"points": [[1, 1], [30, 30]], "width": -4}, "width"),
    ("pen", {"points": [[1, 1], [30, 30]], "width": "thick"}, "width"),
    ("pen", {"points": [[1, 1], [30, 30]], "width": 1e300}, "wider"),
    ("text", {"text": "big", "x": 1, "y": 1, "fontSize": 1e9}, "font"),
    ("text", {"text": "big", "x": 1, "y": 1, "fontSize": math.nan}, "fontSize"),
    ("text", {"text": "small", "x": 1, "y": 1, "fontSize": -2}, "fontSize"),
    ("text", {"text": "long " * 10_000, "x": 1, "y": 1}, "characters"),
    ("text", {"text": "line\n" * 1999, "x": 1, "y": 1}, "lines"),
]


@pytest.mark.parametrize(("stroke_type", "data", "remark"), BENT)
def test_what_had_to_be_bent_is_drawn_and_named(stroke_type: str, data: dict[str, Any], remark: str) -> None:
    page = read_page({"strokes": [_stroke(stroke_type, data)]})

    assert len(page.drawn) == 1
    assert any(remark in stroke.reason for stroke in page.skipped)
    assert max(page.width, page.height) <= LONGEST_SIDE
    _draw(page)


def test_a_colour_that_is_none_is_black_and_a_paper_that_is_none_white() -> None:
    line = {"startX": 0, "startY": 0, "endX": 900, "endY": 700, "color": "#12"}
    page = read_page({"background_color": {"r": 1}, "strokes": [_stroke("line", line)]})
    assert _draw(page) == _draw(read_page({"strokes": [_stroke("line", {**line, "color": "#000000"})]}))


def test_a_million_points_are_cut_to_what_a_stroke_may_have() -> None:
    points = [[n % 1000, n % 700] for n in range(1_000_000)]
    page = read_page({"strokes": [_stroke("pen", {"points": points})]})

    (drawn,) = page.shapes
    assert sum(map(len, drawn.contours)) == MAX_POINTS_OF_STROKE  # type: ignore[union-attr, arg-type]  # Lines
    assert str(MAX_POINTS_OF_STROKE) in page.skipped[0].reason


@pytest.mark.parametrize("stroke_type", ["pen", "eraser", "rectangle", "circle", "triangle", "line", "arrow"])
def test_coordinates_without_measure_do_not_stop_the_engine(stroke_type: str) -> None:
    points = [[-1e9, 1e308], [0, -1e308], [5e-324, 10**300], [400, 300]]
    _draw(read_page({"strokes": [_stroke(stroke_type, {"points": points, "width": 1e9})]}))


def test_one_long_text_among_the_points_does_not_swell_them() -> None:
    # As an array of texts, each of these numbers would take as much memory as the longest: 16 GB.
    points: list[Any] = [[n, n] for n in range(2000)]
    points[7] = ["9" * 1_000_000, "x" * 1_000_000]
    (drawn,) = read_page({"strokes": [_stroke("pen", {"points": points})]}).shapes
    assert len(drawn.contours[0]) == 1999  # type: ignore[union-attr]  # Lines


TEXTS = [
    "\x00\x01\x02 bell \x07 escape \x1b[31m delete \x7f\x85",
    "half \ud83d a pair \udc00",
    "שלום עולם 123 مرحبا بالعالم",
    "\u202e turned round \u202c and back \u2066x\u2069",
    "👩\u200d👩\u200d👧\u200d👦 👍🏽 🇪🇹 1\ufe0f\u20e3",
    "Z" + "\u0301\u0327" * 500,
    "\n" * 10_000,
    "line\n" * 10_000,
    "x" * 1_000_000,
    "\u200b\u200d\ufeff\ufffe\U0010ffff\ue000",
    "ሰላም\r\nዓለም\rሰላም",
    "\t\ttabs\tand\x0bothers\x0c\u2028\u2029",
    "漢字 かな 한글 ไทย বাংলা",
]


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_is_drawn_or_named(text: str) -> None:
    page = read_page({"strokes": [_stroke("text", {"text": text, "x": 20, "y": 40, "fontSize": 18})]})
    assert page.drawn or page.skipped
    _draw(page)
    write_svg(page, io.BytesIO())
    write_thumbnail(page, io.BytesIO())


def test_line_ends_of_every_system_end_a_line() -> None:
    (text,) = read_page({"strokes": [_stroke("text", {"text": "a\r\nb\rc\nd\n\ne", "x": 1, "y": 2})]}).shapes
    assert text.lines == ("a", "b", "c", "d", "", "e")  # type: ignore[union-attr]  # a Text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=15,
)
TYPES = st.sampled_from(["pen", "eraser", "line", "rectangle", "circle", "triangle", "arrow", "text"]) | JSON
NUMBERS = st.floats() | st.integers() | st.sampled_from([1e308, -1e9, 10**400, -(10**400), 0, 1, True, "12"])
POINTS = st.lists(st.lists(NUMBERS, max_size=3) | JSON, max_size=8)
DATA = (
    st.fixed_dictionaries(
        {},
        optional={
            "points": POINTS | JSON,
            **dict.fromkeys(("x", "y", "width", "height", "radius", "fontSize"), NUMBERS | JSON),
            **dict.fromkeys(("startX", "startY", "endX", "endY"), NUMBERS | JSON),
            "color": st.sampled_from(["#fff", "red", "rgb(1 2 3 / 4)", "hsl(nan 1% 1%)", "lab(1 2 3)"]) | JSON,
            "text": st.text(st.characters(exclude_categories=()), max_size=40) | JSON,
            "formatting": st.dictionaries(st.sampled_from(["bold", "italic", "underline"]), JSON) | JSON,
        },
    )
    | JSON
)
STROKES = st.lists(
    st.fixed_dictionaries(
        {"stroke_type": TYPES, "stroke_data": DATA},
        optional={
            key: JSON | st.just("2026-01-01T00:00:00") for key in ("stroke_order", "id", "created_at", "deleted_at")
        },
    )
    | JSON,
    max_size=4,
)
FACTS = ("background_color", "width", "height", "page_title", "page_number", "page_id")
PAGES = st.fixed_dictionaries({"strokes": STROKES | JSON}, optional=dict.fromkeys(FACTS, NUMBERS | JSON))


@settings(max_examples=150, deadline=None)
@given(PAGES)
def test_any_json_is_a_page(document: dict[str, Any]) -> None:
    page = read_page(document)
    assert 1 <= page.width <= LONGEST_SIDE
    assert 1 <= page.height <= LONGEST_SIDE
    for shape in page.shapes:
        for contour in getattr(shape, "contours", ()):
            assert np.isfinite(contour).all()
            assert np.abs(contour).max() <= FARTHEST + 15
        assert 0 < getattr(shape, "width", 1) <= WIDEST_PEN
        assert 0 < getattr(shape, "size", 1) <= LARGEST_FONT
    _draw(page, min(4, 20 / max(page.width, page.height)))
    write_svg(page, io.BytesIO())


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["pages", "strokes", "title", "width"]), st.lists(PAGES | JSON, max_size=3) | JSON)
)
def test_any_json_is_a_board(document: dict[str, Any]) -> None:
    for page in read_board(document).pages:
        assert 1 <= page.width <= LONGEST_SIDE


def test_a_file_nested_without_end_is_refused(tmp_path: Any) -> None:
    file = tmp_path / "deep.json"
    file.write_text('{"strokes": [' + "[" * 100_000 + "]" * 100_000 + "]}")
    with pytest.raises(InvalidInput, match="nested"):
        read_document(file)


def test_json_as_deep_as_it_can_be_read_is_a_page() -> None:
    deep: Any = 1
    for _ in range(900):
        deep = [deep]
    for data in (deep, {"points": deep}, {"points": [deep, [1, 2]]}, {"x": deep, "y": 1, "radius": 2}, {"color": deep}):
        for stroke_type in ("pen", "circle", "text", deep):
            assert read_page({"strokes": [_stroke(stroke_type, data), deep]}).skipped


MEMORY = """
import io, json, re
from pathlib import Path
from worker.canvases.stored.pages import read_page
from worker.canvases.drawing.raster import write_png

def draw(points):
    stroke = {"stroke_type": "pen", "stroke_data": {"points": points, "color": "#123456", "width": 4}}
    write_png(read_page({"strokes": [stroke]}), io.BytesIO(), 2)
    # The highest of this program's memory; getrusage would answer with its parent's, from which it was forked.
    return int(re.search("VmHWM:[^0-9]*([0-9]+)", Path("/proc/self/status").read_text())[1]) // 1024

print(json.dumps([draw([[n % 1190, (n * 7) % 790] for n in range(count)]) for count in (100, 100_000)]))
"""


def test_a_hundred_thousand_points_are_drawn_in_bounded_memory() -> None:
    run = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True, timeout=TIMEOUT)
    few, many = json.loads(run.stdout)
    # 2400x1600 pixels of four bytes are 15 MB, the points as Python's numbers 15 MB, the modules 60 MB.
    assert many < 250
    assert many - few < 120
