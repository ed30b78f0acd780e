"""Strokes as other drawing libraries write them: what each means on a board, and that it is drawn there."""

import math
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.states import STROKE_TYPES
from worker.canvases.stored.pages import read_page
from worker.errors import InvalidInput
from worker.stroke_shapes import board_shape
from worker.whiteboards.stroke_validation import NewStroke, accepted_stroke

LINE = [[10, 20], [30, 40], [50, 20]]

# What the library writes, by where that is documented, and what a board makes of it.
SHAPES: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
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
    ("SVG: the `d` of a path", "pen", {"path": "M10 20L30 40 50,20"}, {"points": LINE}),
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


@pytest.mark.parametrize(("library", "stroke_type", "written", "meant"), SHAPES, ids=[shape[0] for shape in SHAPES])
def test_what_another_library_writes_is_stored_as_it_is_meant(
    library: str, stroke_type: str, written: dict[str, Any], meant: dict[str, Any]
) -> None:
    before = repr(written)
    assert accepted_stroke(NewStroke("a", stroke_type, written)).stroke_data == meant
    assert repr(written) == before
    assert board_shape(stroke_type, meant) == meant


@pytest.mark.drawing
@pytest.mark.parametrize(("library", "stroke_type", "written", "meant"), SHAPES, ids=[shape[0] for shape in SHAPES])
def test_what_another_library_wrote_into_the_database_is_drawn(
    library: str, stroke_type: str, written: dict[str, Any], meant: dict[str, Any]
) -> None:
    (ours,) = read_page({"strokes": [{"stroke_type": stroke_type, "stroke_data": meant}]}).figures
    page = read_page({"strokes": [{"stroke_type": stroke_type, "stroke_data": written}]})
    assert repr([*page.figures]) == repr([ours])
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
        ("pen", {"path": [["M", 1, 2], ["A", 1, 2, 3, 4, 5, 6, 7]]}),
        ("pen", {"path": [["M", 1, 2], [], None]}),
        ("pen", {"path": "M1 1" + "L2 2" * 300_000}),
        ("pen", {"props": {"segments": [{"type": "free", "points": "gAAAAA=="}]}, "x": 1, "y": 1}),
        ("pen", {"points": [[1, 2]], "width": "2em"}),
        ("line", {"x1": 1, "y1": 2, "x2": 3}),
    ],
)
def test_what_is_not_understood_is_refused(stroke_type: str, data: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="Stroke a: "):
        accepted_stroke(NewStroke("a", stroke_type, data))


def test_a_stroke_of_the_boards_own_client_is_not_touched() -> None:
    for stroke_type, data in (
        ("pen", {"points": LINE, "color": "#000", "width": 3}),
        ("rectangle", {"x": 1, "y": 2, "width": 3, "height": 4}),
        ("text", {"text": "a", "x": 1, "y": 2, "fontSize": 18}),
    ):
        assert board_shape(stroke_type, data) is data


NUMBERS = st.integers(-1000, 1000) | st.floats(-1000, 1000)
PAIRS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=8)


@settings(deadline=None)
@given(PAIRS)
def test_every_form_of_points_means_the_same(pairs: list[tuple[float, float]]) -> None:
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


WORDS = st.text(max_size=8) | st.sampled_from(["12", "24px", "M 1 2", "red", "m"])
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


@settings(max_examples=500, deadline=None)
@example("circle", {"left": None, "top": None, "r": None})
@given(st.sampled_from(STROKE_TYPES), st.dictionaries(st.sampled_from(KEYS), JSON, max_size=6))
def test_no_shape_breaks_the_reading(stroke_type: str, data: dict[str, Any]) -> None:
    shape = board_shape(stroke_type, data)
    again = board_shape(stroke_type, shape)
    assert repr(again) == repr(shape) or not data.keys().isdisjoint({"props", "segments"})
