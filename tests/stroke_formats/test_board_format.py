"""Strokes as other drawing libraries write them: what each means on a board, and that it is drawn there."""

import base64
import math
import re
import struct
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.states import STROKE_TYPES
from tests.examples import examples
from worker.canvases.stored.pages import read_page
from worker.errors import InvalidInput
from worker.stroke_formats import UnsupportedStroke, to_board_format
from worker.whiteboards.stroke_validation import NewStroke, accepted_stroke

LINE = [[10, 20], [30, 40], [50, 20]]


def encoded_deltas(points: list[tuple[float, float]]) -> str:
    """What tldraw's `b64Vecs.encodePoints` writes of points with the pressure 0.5."""
    steps = [(x - before_x, y - before_y, 0.0) for (before_x, before_y), (x, y) in pairwise(points)]
    data = struct.pack("<3f", *points[0], 0.5) + b"".join(struct.pack("<3e", *step) for step in steps)
    return base64.b64encode(data).decode()


def encoded_halves(points: list[tuple[float, float]]) -> str:
    """What tldraw wrote before it wrote differences."""
    return base64.b64encode(b"".join(struct.pack("<3e", x, y, 0.5) for x, y in points)).decode()


def nested(value: Any, depth: int) -> Any:
    """The value in so many lists of one item."""
    for _ in range(depth):
        value = [value]
    return value


# What the library writes, by where that is documented, and what a board makes of it.
FORMATS: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("objects of pointer events", "pen", {"points": [{"x": 10, "y": 20}, {"x": 30, "y": 40}]}, {"points": LINE[:2]}),
    (
        "signature_pad, toData(): point groups",
        "pen",
        {
            "penColor": "rgb(66, 133, 244)",
            "dotSize": 0,
            "minWidth": 0.5,
            "points": [
                {"time": 1.5e12, "x": 10, "y": 20, "pressure": 0.5},
                {"time": 1.6e12, "x": 30, "y": 40, "pressure": 0.25},
            ],
        },
        {
            "color": "rgb(66, 133, 244)",
            "dotSize": 0,
            "minWidth": 0.5,
            "points": LINE[:2],
            "pressures": [0.5, 0.25],
        },
    ),
    (
        "perfect-freehand: input points with pressure",
        "pen",
        {"points": [[10, 20, 0.5], [30, 40, 0.6]], "size": 16},
        {"points": LINE[:2], "pressures": [0.5, 0.6], "size": 16},
    ),
    (
        "points with time",
        "pen",
        {"points": [[10, 20, 0.5, 1], [30, 40, 0.6, 2]]},
        {"points": LINE[:2], "pressures": [0.5, 0.6]},
    ),
    ("points of unlike lengths", "pen", {"points": [[10, 20], {"x": 30, "y": 40}]}, {"points": LINE[:2]}),
    (
        "Konva.Line: flat points",
        "pen",
        {"points": [10, 20, 30, 40, 50, 20], "stroke": "#df4b26", "strokeWidth": 5},
        {"points": LINE, "color": "#df4b26", "width": 5},
    ),
    (
        "Konva.Line: points from where the node stands",
        "pen",
        {"x": 5, "y": 10, "points": [5, 10, 25, 30, 45, 10], "stroke": "red", "strokeWidth": 5},
        {"points": LINE, "color": "red", "width": 5},
    ),
    ("flat points alone", "line", {"points": [10, 20, 30, 40]}, {"points": LINE[:2]}),
    (
        "Excalidraw: freedraw",
        "pen",
        {
            "type": "freedraw",
            "x": 10,
            "y": 20,
            "width": 40,
            "height": 20,
            "strokeColor": "#1e1e1e",
            "strokeWidth": 2,
            "points": [[0, 0], [20, 20], [40, 0]],
            "pressures": [],
            "simulatePressure": True,
        },
        {
            "type": "freedraw",
            "height": 20,
            "color": "#1e1e1e",
            "width": 2,
            "points": LINE,
            "pressures": [],
            "simulatePressure": True,
        },
    ),
    (
        "tldraw: a draw shape with segments",
        "pen",
        {
            "x": 10,
            "y": 20,
            "props": {
                "segments": [
                    {"type": "free", "points": [{"x": 0, "y": 0, "z": 0.5}, {"x": 20, "y": 20, "z": 0.5}]},
                    {"type": "straight", "points": [{"x": 40, "y": 0, "z": 0.5}]},
                ],
                "color": "black",
                "size": "m",
            },
        },
        {"points": LINE, "color": "black", "width": 3.5, "pressures": [0.5, 0.5, 0.5]},
    ),
    (
        "react-sketch-canvas: exportPaths()",
        "pen",
        {"drawMode": True, "strokeColor": "red", "strokeWidth": 4, "paths": [{"x": 10, "y": 20}, {"x": 30, "y": 40}]},
        {"drawMode": True, "color": "red", "width": 4, "points": LINE[:2]},
    ),
    (
        "Fabric.js: a path of the pencil brush",
        "pen",
        {"path": [["M", 10, 20], ["L", 30, 40], ["L", 50, 20]], "stroke": "rgb(0,0,0)", "strokeWidth": 3, "width": 40},
        {"points": LINE, "color": "rgb(0,0,0)", "width": 3},
    ),
    (
        "Fabric.js: curves",
        "pen",
        {"path": [["M", 0, 0], ["Q", 8, 0, 8, 16]]},
        {"points": [[0, 0], [3.5, 1], [6, 4], [7.5, 9], [8, 16]]},
    ),
    (
        "Fabric.js: a path that was moved",
        "pen",
        {
            "path": [["M", 0, 0], ["L", 20, 20], ["L", 40, 0]],
            "left": 8.5,
            "top": 18.5,
            "width": 40,
            "height": 20,
            "strokeWidth": 3,
            "scaleX": 1,
            "angle": 0,
        },
        {"points": LINE, "width": 3, "left": 8.5, "top": 18.5, "height": 20, "scaleX": 1, "angle": 0},
    ),
    (
        "Konva: JSON of a node",
        "pen",
        {"attrs": {"points": [10, 20, 30, 40, 50, 20], "stroke": "red", "strokeWidth": 5}, "className": "Line"},
        {"points": LINE, "color": "red", "width": 5, "className": "Line"},
    ),
    (
        "tldraw: points as base64, the first as float32, then differences as float16",
        "pen",
        {
            "x": 10,
            "y": 20,
            "rotation": 0,
            "props": {"segments": [{"type": "free", "path": encoded_deltas([(0, 0), (20, 20), (40, 0)])}], "size": "s"},
        },
        {"points": LINE, "width": 2, "pressures": [0.5, 0.5, 0.5]},
    ),
    (
        "tldraw: points as base64 of float16",
        "pen",
        {
            "x": 10,
            "y": 20,
            "props": {"segments": [{"points": encoded_halves([(0, 0), (20, 20), (40, 0)])}], "color": "light-blue"},
        },
        {"points": LINE, "color": "#4ba1f1", "pressures": [0.5, 0.5, 0.5]},
    ),
    (
        "tldraw: stretched and turned by half a circle",
        "pen",
        {
            "x": 10,
            "y": 20,
            "rotation": math.pi,
            "props": {"segments": [{"points": [{"x": 0, "y": 0}, {"x": 5, "y": 0}]}], "scaleX": 2, "scaleY": 1},
        },
        {"points": [[10, 20], [0, 20]]},
    ),
    ("SVG: the `d` of a path", "pen", {"path": "M10 20L30 40 50,20"}, {"points": LINE}),
    ("SVG: a relative path", "pen", {"path": "m10,20 20,20 20-20"}, {"points": LINE}),
    (
        "SVG: across and down",
        "pen",
        {"path": "M10 20H30V40h-5v-5"},
        {"points": [[10, 20], [30, 20], [30, 40], [25, 40], [25, 35]]},
    ),
    ("SVG: a closed path", "pen", {"path": "M10 20 30 40 50 20z"}, {"points": [*LINE, LINE[0]]}),
    (
        "SVG: a smooth curve",
        "pen",
        {"path": "M0 0q8 0 8 16t0 16"},
        {"points": [[0, 0], [3.5, 1], [6, 4], [7.5, 9], [8, 16], [8, 23], [8, 28], [8, 31], [8, 32]]},
    ),
    ("SVG: the points of a polyline", "pen", {"points": "10,20 30,40\n50,20"}, {"points": LINE}),
    (
        "MyScript: a list for each axis",
        "pen",
        {"x": [10, 30], "y": [20, 40], "t": [0, 9]},
        {"points": LINE[:2], "t": [0, 9]},
    ),
    (
        "Quick, Draw!: a list for each axis",
        "pen",
        {"points": [[1, 2, 3, 4, 5, 6], [9, 8, 7, 6, 5, 4]]},
        {"points": [[1, 9], [2, 8], [3, 7], [4, 6], [5, 5], [6, 4]]},
    ),
    ("ink of Windows", "pen", {"points": [{"X": 10, "Y": 20}, {"X": 30, "Y": 40}]}, {"points": LINE[:2]}),
    ("one line in a list of lines", "pen", {"paths": [[{"x": 10, "y": 20}, {"x": 30, "y": 40}]]}, {"points": LINE[:2]}),
    (
        "Fabric.js: a circle by its corner",
        "circle",
        {"left": 10, "top": 20, "radius": 5, "stroke": "red"},
        {"x": 15, "y": 25, "radius": 5, "color": "red"},
    ),
    ("SVG: a circle", "circle", {"cx": "15", "cy": "25", "r": "5px"}, {"x": 15, "y": 25, "radius": 5}),
    (
        "SVG: a line",
        "line",
        {"x1": 1, "y1": 2, "x2": 3, "y2": 4, "stroke-width": "2"},
        {"startX": 1, "startY": 2, "endX": 3, "endY": 4, "width": 2},
    ),
    (
        "Konva.Rect: `width` is that of the box",
        "rectangle",
        {"x": 10, "y": 20, "width": 40, "height": 20, "stroke": "blue", "strokeWidth": 6},
        {"points": [[10, 20], [50, 40]], "width": 6, "color": "blue"},
    ),
    (
        "a box without a pen",
        "rectangle",
        {"left": 10, "top": 20, "width": 40, "height": 20},
        {"x": 10, "y": 20, "width": 40, "height": 20},
    ),
    (
        "CSS lengths",
        "text",
        {"text": "a", "x": "10px", "y": "20", "fontSize": "24px"},
        {"text": "a", "x": 10, "y": 20, "fontSize": 24},
    ),
    (
        "the font of a canvas",
        "text",
        {"text": "a", "x": 1, "y": 42, "font": "bold 24px Arial", "fill": "red"},
        {"text": "a", "x": 1, "y": 42, "font": "bold 24px Arial", "fontSize": 24, "color": "red"},
    ),
    (
        "numbers as text",
        "pen",
        {"points": [["10", "20"], ["3e1", "40.0"]], "width": "4px"},
        {"points": LINE[:2], "width": 4},
    ),
    (
        "PixiJS: a colour as a number",
        "pen",
        {"points": LINE, "strokeColor": 0xFF0000},
        {"points": LINE, "color": "#ff0000"},
    ),
    (
        "channels of a colour",
        "pen",
        {"points": LINE, "strokeColor": {"r": 255, "g": 0, "b": 0, "a": 0.5}},
        {"points": LINE, "color": "rgb(255 0 0 / 0.5)"},
    ),
]


@pytest.mark.parametrize(
    ("library", "stroke_type", "written", "board_stroke"), FORMATS, ids=[each[0] for each in FORMATS]
)
def test_what_another_library_writes_is_stored_as_it_is_meant(
    library: str, stroke_type: str, written: dict[str, Any], board_stroke: dict[str, Any]
) -> None:
    before = repr(written)
    assert accepted_stroke(NewStroke("a", stroke_type, written)).stroke_data == board_stroke
    assert repr(written) == before
    assert to_board_format(stroke_type, board_stroke) == board_stroke


@pytest.mark.drawing
@pytest.mark.parametrize(
    ("library", "stroke_type", "written", "board_stroke"), FORMATS, ids=[each[0] for each in FORMATS]
)
def test_what_another_library_wrote_into_the_database_is_drawn(
    library: str, stroke_type: str, written: dict[str, Any], board_stroke: dict[str, Any]
) -> None:
    (ours,) = read_page({"strokes": [{"stroke_type": stroke_type, "stroke_data": board_stroke}]}).shapes
    page = read_page({"strokes": [{"stroke_type": stroke_type, "stroke_data": written}]})
    assert repr([*page.shapes]) == repr([ours])
    assert page.skipped == ()


@pytest.mark.parametrize(
    ("stroke_type", "data"),
    [
        ("pen", {"points": [1, 2, 3]}),
        ("pen", {"points": [[1, 2], {"x": 1}]}),
        ("pen", {"points": [{"x": "wide", "y": 2}]}),
        ("pen", {"points": [1, True]}),
        ("pen", {"points": [1, math.inf]}),
        ("pen", {"points": [[10**400, 1, 1]], "x": 1.5, "y": 1, "stroke": "red"}),
        ("pen", {"points": [["9" * 400, 1]]}),
        ("pen", {"path": [["M", 0, 0], ["Q", 10**400, 1, 2, 3]]}),
        ("pen", {"points": "M1"}),
        ("pen", {"path": [["M", 1, 2], ["A", 1, 2, 3, 4, 5, 6]]}),
        ("pen", {"path": "M1 2 B3 4"}),
        ("pen", {"path": "L1 2 3 4"}),
        ("pen", {"path": [["M", 1, 2], [], None]}),
        ("pen", {"path": "M1 1" + "L2 2" * 300_000}),
        # An expression for a whole arc would try every way to split these digits into numbers: it would never end.
        ("pen", {"path": "M0 0A" + "2" * 5000}),
        ("pen", {"path": "M1e999 0L1 1"}),
        ("pen", {"path": "M1e308 0l1e308 1"}),
        ("pen", {"path": "M0 0A1 1 1e999 0 1 5 5"}),
        ("pen", {"props": {"segments": [{"points": [5]}], "scaleX": 2}}),
        ("pen", {"props": {"segments": [{"points": [[1]]}], "scaleX": 2}}),
        ("pen", {"props": {"segments": [{"points": [None]}]}, "rotation": 1}),
        ("pen", {"points": nested([1, 2], 100_000)}),
        ("pen", {"points": [[1, 2]], "width": "2em"}),
        ("line", {"x1": 1, "y1": 2, "x2": 3}),
    ],
)
def test_what_is_not_understood_is_refused(stroke_type: str, data: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="Stroke a: "):
        accepted_stroke(NewStroke("a", stroke_type, data))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (
            {"points": [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]},
            "its points are several lines: send each of them as a stroke",
        ),
        ({"path": "M1 2L3 4M5 6L7 8"}, "its path lifts the pen: send each of its lines as a stroke"),
        (
            {"points": [0, 0, 5, 5], "stroke": "red", "rotation": 30},
            "it has rotation: send its points as they stand on",
        ),
        ({"path": "M0 0" + "a9 9 0 015 5" * 4000}, "its path has more than 100000 points"),
        ({"path": "M0 0L5 5", "transform": "translate(9 9)"}, "it has a transform: send its points as they stand on"),
        ({"points": [{"clientX": 1, "clientY": 2}]}, "its points are seen from the window: send offsetX and offsetY"),
        ({"points": [[0.1, 0.2], [0.3, 0.4], [1, 0]]}, "its points lie within one pixel: send pixels of the page"),
        (
            {"props": {"segments": [{"path": "gAAAAA=="}]}, "x": 1, "y": 1},
            "its segment is none of tldraw's: send points",
        ),
        ({"points": "somewhere"}, "points is not a list of [x, y], nor the path or the points of a drawing library"),
    ],
)
def test_what_would_be_drawn_otherwise_than_meant_is_refused_with_what_to_send(
    data: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=re.escape(f"Stroke a: {sentence}")):
        accepted_stroke(NewStroke("a", "pen", data))


def test_a_shape_that_is_not_understood_is_named_where_it_was_stored() -> None:
    page = read_page({"strokes": [{"stroke_type": "pen", "stroke_data": {"path": "M1 2L3 4M5 6L7 8"}}]})
    assert "lifts the pen" in str(page.skipped)


@given(st.floats(1, 500), st.floats(1, 500), st.floats(-360, 360), st.booleans(), st.booleans())
def test_an_arc_stays_on_its_ellipse_and_ends_where_it_should(
    wide: float, high: float, turn: float, large: bool, sweep: bool
) -> None:
    path = f"M300 300A{wide} {high} {turn} {large:d}{sweep:d}310 320"
    points = accepted_stroke(NewStroke("a", "pen", {"path": path})).stroke_data["points"]
    assert points[0] == [300, 300]
    assert points[-1] == [310, 320]
    # Turned and squeezed into a circle, all points are equally far from its centre.
    cosine, sine = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    round_ = [((cosine * x + sine * y) / wide, (cosine * y - sine * x) / high) for x, y in points]
    (ax, ay), (bx, by), (cx, cy) = round_[0], round_[10], round_[20]
    twice = 2 * (ax * (by - cy) + bx * (cy - ay) + cx * (ay - by))
    x = ((ax**2 + ay**2) * (by - cy) + (bx**2 + by**2) * (cy - ay) + (cx**2 + cy**2) * (ay - by)) / twice
    y = ((ax**2 + ay**2) * (cx - bx) + (bx**2 + by**2) * (ax - cx) + (cx**2 + cy**2) * (bx - ax)) / twice
    radii = [math.hypot(px - x, py - y) for px, py in round_]
    assert max(radii) == pytest.approx(min(radii), rel=1e-3)


@pytest.mark.parametrize("radius", ["1e-200", "1e-310", "1", "9e15"])
@pytest.mark.parametrize("end", ["0 0", "1e-200 0", "5 0", "9e15 9e15"])
def test_an_arc_that_floats_cannot_compute_is_a_straight_line(radius: str, end: str) -> None:
    converted = to_board_format("pen", {"path": f"M0 0A{radius} {radius} 0 0 1 {end}"})
    assert converted["points"][0] == [0, 0]
    assert converted["points"][-1] == [float(each) for each in end.split()]
    assert all(math.isfinite(x) and math.isfinite(y) for x, y in converted["points"])


def test_a_stroke_of_the_boards_own_client_is_not_touched() -> None:
    for stroke_type, data in (
        ("pen", {"points": LINE, "color": "#000", "width": 3}),
        ("rectangle", {"x": 1, "y": 2, "width": 3, "height": 4}),
        ("text", {"text": "a", "x": 1, "y": 2, "fontSize": 18}),
    ):
        assert to_board_format(stroke_type, data) is data


NUMBERS = st.integers(-1000, 1000) | st.floats(-1000, 1000)
PAIRS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=8)


@settings(deadline=None)
@given(PAIRS)
def test_every_form_of_points_means_the_same(pairs: list[tuple[float, float]]) -> None:
    # A line within one pixel is refused.
    pairs = [(x + 2, y) for x, y in pairs]
    canonical = [list(pair) for pair in pairs]
    forms: list[Any] = [
        canonical,
        [{"x": x, "y": y} for x, y in pairs],
        [{"x": x, "y": y, "p": 0.5} for x, y in pairs],
        [[x, y, 0.5] for x, y in pairs],
        [number for pair in pairs for number in pair],
        [[str(x), f"{y}px"] for x, y in pairs],
        [["M" if index == 0 else "L", x, y] for index, (x, y) in enumerate(pairs)],
    ]
    for form in forms:
        assert accepted_stroke(NewStroke("a", "pen", {"points": form})).stroke_data["points"] == canonical


PATHS = st.from_regex(r"\AM0 0([ALQTaltq]( ?-?(1e-200|1e-310|1e999|9e15|[0-5]))+)+\Z")
WORDS = st.text(max_size=8) | st.sampled_from(["12", "24px", "M 1 2", "red", "m"]) | PATHS
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["x", "y", "points", "r"]), inner),
    max_leaves=8,
)
KEYS = [
    "points",
    "path",
    "paths",
    "segments",
    "props",
    "scaleX",
    "rotation",
    "x",
    "y",
    "left",
    "top",
    "radius",
    "x1",
    "y1",
    "cx",
    "r",
    "width",
    "height",
    "strokeWidth",
    "stroke",
    "strokeColor",
    "color",
    "font",
    "fontSize",
    "text",
    "fill",
]


@settings(max_examples=examples(500), deadline=None)
@example("circle", {"left": None, "top": None, "r": None})
@given(st.sampled_from(STROKE_TYPES), st.dictionaries(st.sampled_from(KEYS), JSON, max_size=6))
def test_no_shape_breaks_the_reading(stroke_type: str, data: dict[str, Any]) -> None:
    try:
        converted = to_board_format(stroke_type, data)
    except UnsupportedStroke:
        return
    again = to_board_format(stroke_type, converted)
    assert repr(again) == repr(converted) or not data.keys().isdisjoint({"props", "segments"})
