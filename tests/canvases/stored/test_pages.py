"""What is on a page, in which order, on how large a paper; and that the same strokes are the same bytes."""

import hashlib
import io
import json
import random
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.waiting import TIMEOUT
from worker.canvases.drawing.raster import write_png
from worker.canvases.engine import skia
from worker.canvases.lettering.text import width_of
from worker.canvases.limits import LONGEST_SIDE, MARGIN
from worker.canvases.stored.pages import read_page

pytestmark = pytest.mark.drawing


def _line(x: float, y: float, *, width: float = 3, **row: Any) -> dict[str, Any]:
    data = {"startX": 0, "startY": 0, "endX": x, "endY": y, "color": "#123456", "width": width}
    return {"stroke_type": "line", "stroke_data": data, **row}


def _text(text: str, **data: Any) -> dict[str, Any]:
    return {"stroke_type": "text", "stroke_data": {"text": text, "x": 30, "y": 60, "fontSize": 18, **data}}


def _png(document: dict[str, Any], scale: float = 1) -> bytes:
    out = io.BytesIO()
    write_png(read_page(document), out, scale)
    return out.getvalue()


def _size(*strokes: dict[str, Any], **document: Any) -> tuple[int, int]:
    page = read_page({"strokes": list(strokes), **document})
    return page.width, page.height


@given(
    st.lists(st.tuples(st.integers(0, 4) | st.none(), st.integers(1, 10**6)), unique_by=lambda row: row[1], max_size=12)
)
@settings(max_examples=60, deadline=None)
def test_strokes_are_drawn_by_their_order_then_by_id(rows: list[tuple[int | None, int]]) -> None:
    strokes = [_line(row_id, 10, stroke_order=order, id=row_id) for order, row_id in rows]
    ends = [shape.contours[0][1][0] for shape in read_page({"strokes": strokes}).shapes]  # type: ignore[union-attr]

    numbered = sorted((order, row_id) for order, row_id in rows if order is not None)
    unnumbered = sorted(row_id for order, row_id in rows if order is None)
    assert ends == [min(row_id, 100_000) for row_id in (*(row_id for _, row_id in numbered), *unnumbered)]


@pytest.mark.parametrize("scale", [1, 2])
def test_order_decides_what_lies_above(scale: int) -> None:
    red = {"points": [[0, 100], [400, 100]], "color": "#ff0000", "width": 20}
    blue = {"points": [[200, 0], [200, 300]], "color": "#0000ff", "width": 20}
    strokes = [
        {"stroke_type": "pen", "stroke_data": red, "stroke_order": 1, "id": 8},
        {"stroke_type": "pen", "stroke_data": blue, "stroke_order": 1, "id": 3},
    ]
    image = skia.Image.MakeFromEncoded(skia.Data.MakeWithCopy(_png({"strokes": strokes}, scale)))
    assert image.toarray(colorType=skia.kRGBA_8888_ColorType)[100 * scale, 200 * scale].tolist() == [255, 0, 0, 255]


def test_deleted_strokes_are_not_drawn_and_make_no_room() -> None:
    visible = _line(300, 200, stroke_order=1)
    undone = _line(3000, 2000, stroke_order=2, deleted_at="2026-03-01T10:00:00")
    assert _size(visible, undone) == (1200, 800)
    assert _png({"strokes": [visible, undone]}) == _png({"strokes": [visible]})


@pytest.mark.parametrize(
    ("strokes", "document", "size"),
    [
        ([], {}, (1200, 800)),
        ([_line(1190, 790)], {}, (1200, 800)),
        ([_line(1199, 100)], {}, (1201 + MARGIN, 800)),
        ([_line(100, 1500, width=10)], {}, (1200, 1505 + MARGIN)),
        ([_line(1e9, -1e9)], {}, (LONGEST_SIDE, 800)),
        ([_line(-5000, -5000)], {}, (1200, 800)),
        ([{**_line(3000, 3000), "stroke_type": "eraser"}], {}, (1200, 800)),
        ([_line(3000, 3000)], {"width": 640, "height": 480.5}, (640, 481)),
        ([_line(3000, 100)], {"width": None, "height": 480}, (3002 + MARGIN, 480)),
        ([], {"width": 10**9, "height": 0}, (LONGEST_SIDE, 800)),
        ([], {"width": "wide", "height": True}, (1200, 800)),
        ([_text("short")], {}, (1200, 800)),
        ([_text("a line of nearly a hundred letters that are narrow: " + "il" * 90)], {}, (1200, 800)),
    ],
)
def test_a_page_is_as_large_as_its_ink(strokes: list[Any], document: dict[str, Any], size: tuple[int, int]) -> None:
    assert _size(*strokes, **document) == size


WRITTEN = [
    ("W" * 90, {}),
    ("W" * 90, {"formatting": {"bold": True, "italic": True}}),
    ("ጨጪጬ" * 40, {"x": 500.5}),
    ("😀👩\u200d🏫 ∑∫⟶ " * 12, {"x": 700, "fontSize": 40}),
    ("f" * 30, {"x": 1000, "fontSize": 60, "formatting": {"italic": True}}),
    ("gjpq\n" * 40, {"fontSize": 30}),
    ("ኧ\n" * 30, {"fontSize": 40, "x": 1100}),
    ("gj", {"y": 798, "fontSize": 50}),
    ("שלום " * 40, {"x": 600}),
]


@pytest.mark.parametrize(("text", "data"), WRITTEN)
def test_text_is_never_cut_off(text: str, data: dict[str, Any]) -> None:
    document = {"strokes": [_text(text, **data)]}
    page = read_page(document)
    assert max(page.width, page.height) < LONGEST_SIDE
    image = skia.Image.MakeFromEncoded(skia.Data.MakeWithCopy(_png(document)))
    pixels = image.toarray(colorType=skia.kRGBA_8888_ColorType)[:, :, :3]
    wider = {**document, "width": page.width + 300, "height": page.height + 300}
    roomy = skia.Image.MakeFromEncoded(skia.Data.MakeWithCopy(_png(wider)))
    ink = np.argwhere(roomy.toarray(colorType=skia.kRGBA_8888_ColorType)[:, :, :3].min(axis=2) < 200)
    bottom, right = ink.max(axis=0)

    assert right < page.width
    assert bottom < page.height
    assert (pixels[-1] == 255).all()
    # Nor does a page grow much beyond its text.
    assert page.width <= max(1200, right + MARGIN + 30)


@settings(max_examples=40, deadline=None)
@given(
    st.text(
        st.characters(categories=["Lu", "Ll", "Lo", "Nd", "Sm", "So"], max_codepoint=0x1FFFF), min_size=1, max_size=30
    )
)
def test_text_is_as_wide_as_it_is_measured(text: str) -> None:
    (shape,) = read_page({"strokes": [_text("x" + text, x=900)]}).shapes
    assert 0 <= width_of(shape.lines[0], shape) <= 11 * 18 * (1 + len(text))  # type: ignore[union-attr,arg-type]


RENDER = """
import hashlib, io, json, sys
from worker.canvases.stored.pages import read_page
from worker.canvases.drawing.raster import write_png
document = json.load(sys.stdin)
for scale in (1, 2):
    out = io.BytesIO()
    write_png(read_page(document), out, scale)
    print(hashlib.sha256(out.getvalue()).hexdigest())
"""


def _shuffled(value: Any, dice: random.Random) -> Any:
    """The same JSON with its objects' keys in another order."""
    if isinstance(value, dict):
        keys = dice.sample(list(value), len(value))
        return {key: _shuffled(value[key], dice) for key in keys}
    return [_shuffled(item, dice) for item in value] if isinstance(value, list) else value


def test_the_same_strokes_are_the_same_bytes_in_any_process() -> None:
    dice = random.Random(6)
    strokes: list[dict[str, Any]] = [
        {
            "stroke_type": dice.choice(["pen", "eraser", "circle", "triangle", "arrow", "rectangle"]),
            "stroke_data": {
                "points": [[dice.uniform(0, 1200), dice.uniform(0, 800)] for _ in range(30)],
                "color": f"#{dice.randrange(1 << 24):06x}",
                "width": dice.randrange(1, 20),
            },
            "stroke_order": number // 2,
            "id": number,
        }
        for number in range(40)
    ]
    strokes += [_text("ሰላም, world 😀", formatting={"underline": True}), _line(5, 6)]
    document = {"background_color": "#fef3c7", "strokes": strokes}
    here = [hashlib.sha256(_png(document, scale)).hexdigest() for scale in (1, 2)]
    assert here == [hashlib.sha256(_png(document, scale)).hexdigest() for scale in (1, 2)]

    other = _shuffled(document, dice)
    numbered = [stroke for stroke in other["strokes"] if "stroke_order" in stroke]
    dice.shuffle(numbered)
    other["strokes"] = numbered + other["strokes"][-2:]
    run = subprocess.run(
        [sys.executable, "-c", RENDER],
        input=json.dumps(other),
        capture_output=True,
        text=True,
        check=True,
        timeout=TIMEOUT,
        env={"PYTHONHASHSEED": "1"},
    )
    assert run.stdout.split() == here
