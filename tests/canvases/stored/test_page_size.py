"""Ink is on the picture or named in `skipped`: far away, above and left of the page, huge."""

import io
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.canvases.board import DrawnBoard, DrawnPage
from worker.canvases.drawing.raster import thumbnail_size, write_png, write_thumbnail
from worker.canvases.engine import skia
from worker.canvases.limits import LONGEST_SIDE, MARGIN, MAX_PIXELS_OF_PAGE
from worker.canvases.replay.build_timeline import build_timeline
from worker.canvases.replay.film import frames_of
from worker.canvases.shapes import Circle, Text
from worker.canvases.stored.pages import read_page

pytestmark = pytest.mark.drawing


def _stroke(stroke_type: str, order: int = 1, **data: Any) -> dict[str, Any]:
    return {"stroke_type": stroke_type, "stroke_data": {"color": "#000000", **data}, "stroke_order": order}


def _pen(*points: list[float], order: int = 1, width: float = 3) -> dict[str, Any]:
    return _stroke("pen", order, points=list(points), width=width)


def _read(*strokes: dict[str, Any], **document: Any) -> DrawnPage:
    return read_page({"strokes": list(strokes), **document})


def _pixels(page: DrawnPage) -> Any:
    out = io.BytesIO()
    write_png(page, out)
    image = skia.Image.MakeFromEncoded(skia.Data.MakeWithCopy(out.getvalue()))
    return image.toarray(colorType=skia.kRGBA_8888_ColorType)[:, :, 0]


def test_far_ink_is_on_the_picture() -> None:
    page = _read(_pen([5000, 100], [6000, 200]))
    assert (page.width, page.height) == (6002 + MARGIN, 800)
    assert page.skipped == ()
    ink = np.argwhere(_pixels(page) < 128)
    assert ink[:, 1].min() <= 5000
    assert ink[:, 1].max() >= 5999


OUTSIDE = {
    "farther than a page grows": _pen([9000, 100], [9500, 200]),
    "far to the right and far below": _pen([7000, 7000], [7500, 7600]),
    "left of the page": _pen([-300, 100], [-20, 200]),
    "above the page": _stroke("rectangle", x=100, y=-300, width=50, height=200),
    "a far circle": _stroke("circle", x=50_000, y=100, radius=30),
    "far text": _stroke("text", text="far", x=20_000, y=100),
    "text above": _stroke("text", text="up", x=100, y=-100),
    "a far arrow": _stroke("arrow", startX=9000, startY=1, endX=9900, endY=2),
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_what_is_wholly_outside_is_skipped_and_named(name: str) -> None:
    page = _read(_pen([10, 10], [100, 100], order=7), OUTSIDE[name])
    assert [drawn.order for drawn in page.drawn] == [7]
    assert [skipped.order for skipped in page.skipped] == [1]
    assert "outside the page" in page.skipped[0].reason


PARTLY = {
    "beyond the longest side": _pen([100, 100], [9500, 200]),
    "begins left of the page": _pen([-50, 100], [300, 200]),
    "begins above the page": _stroke("text", text="high", x=100, y=5, fontSize=40),
    "a circle around the page": _stroke("circle", x=600, y=400, radius=5000),
    "a circle of no measure": _stroke("circle", x=600, y=400, radius=1e12),
    "a box of no measure": _stroke("rectangle", x=10, y=10, width=1e12, height=1e12),
    "a text longer than any page": _stroke("text", text="W" * 900, x=10, y=100, fontSize=40),
    "the largest letters": _stroke("text", text="ሀለሐመ" * 5, x=10, y=900, fontSize=1000),
    "a triangle": _stroke("triangle", points=[[100, 100], [200, -500], [300, 100]]),
}


@pytest.mark.parametrize("name", PARTLY)
def test_what_is_partly_outside_is_drawn_and_named(name: str) -> None:
    page = _read(PARTLY[name])
    assert len(page.drawn) == 1
    assert [skipped.order for skipped in page.skipped] == [1]
    assert "beyond the page" in page.skipped[0].reason


def test_what_a_pen_is_wide_at_the_edge_is_not_worth_a_word() -> None:
    page = _read(_pen([0, 0], [400, -0.9], width=20), _stroke("text", 2, text="x", x=0, y=30))
    assert page.skipped == ()
    assert len(page.drawn) == 2


def test_a_stated_page_names_what_it_does_not_show() -> None:
    page = _read(_pen([10, 10], [900, 10]), _pen([700, 10], [900, 10], order=2), width=640, height=480)
    assert [(skipped.order, skipped.reason.split(" of")[0]) for skipped in page.skipped] == [
        (1, "it reaches beyond the page"),
        (2, "it lies outside the page"),
    ]


def test_an_eraser_beyond_the_page_takes_nothing_away() -> None:
    page = _read(_stroke("eraser", points=[[9000, 9000], [9500, 9500]], width=20))
    assert page.skipped == ()


def test_a_page_has_no_more_pixels_than_a_picture_may() -> None:
    for corner in ([7000, 3000], [3000, 7000], [7900, 7900], [7900, 100], [2000, 7900]):
        page = _read(_pen([0, 0], [float(corner[0]), float(corner[1])]))
        assert page.width * page.height <= MAX_PIXELS_OF_PAGE
        assert max(page.width, page.height) <= LONGEST_SIDE
    assert (page.width, page.height) == (2002 + MARGIN, 7902 + MARGIN)


@pytest.mark.parametrize(("width", "height"), [(1, 8000), (8000, 1), (1200, 8000), (100, 8000)])
def test_a_page_of_any_shape_has_a_thumbnail(width: int, height: int) -> None:
    page = _read(_pen([0, 0], [50, 50]), width=width, height=height)
    out = io.BytesIO()
    write_thumbnail(page, out)
    image = skia.Image.MakeFromEncoded(skia.Data.MakeWithCopy(out.getvalue()))
    assert (image.width(), image.height()) == thumbnail_size(page)


def test_what_was_cleared_has_room_in_a_replay() -> None:
    strokes = [
        {**_pen([10, 10], [100, 100]), "created_at": datetime(2026, 3, 1, 10, tzinfo=UTC)},
        {
            **_pen([2000, 300], [2500, 300], order=2, width=40),
            "created_at": datetime(2026, 3, 1, 10, 0, 5, tzinfo=UTC),
            "deleted_at": datetime(2026, 3, 1, 10, 0, 30, tzinfo=UTC),
        },
    ]
    assert read_page({"strokes": strokes}).width == 1200
    page = read_page({"strokes": strokes}, ever=True)
    assert page.width == 2520 + MARGIN
    assert page.skipped == ()
    timeline = build_timeline(DrawnBoard("", (page,)))
    ink = {at: int((planes[: 1280 * 720] < 100).sum()) for at, planes in frames_of(timeline)}
    # The wide stroke covers some hundred pixels of the film while it is there.
    assert max(ink.values()) > ink[max(ink)] + 100


POINT = st.tuples(st.floats(-20_000, 20_000), st.floats(-20_000, 20_000)).map(list)
DATA = st.fixed_dictionaries(
    {
        "points": st.lists(POINT, min_size=2, max_size=6),
        "width": st.floats(0.5, 400),
    }
)
NUMBER = st.floats(-20_000, 20_000)
STROKES = st.lists(
    st.builds(
        lambda kind, data: _stroke(kind, **data), st.sampled_from(["pen", "rectangle", "circle", "triangle"]), DATA
    )
    | st.builds(
        lambda text, x, y, size: _stroke("text", text=text, x=x, y=y, fontSize=size),
        st.sampled_from(["x", "∠ABC ≅", "ሰላም ለዓለም", "two\nlines"]),
        NUMBER,
        NUMBER,
        st.floats(1, 2000),
    ),
    max_size=4,
)


@settings(max_examples=150, deadline=None)
@given(STROKES, st.none() | st.integers(1, 10_000), st.none() | st.integers(1, 10_000))
def test_every_stroke_is_on_the_page_or_named(
    strokes: list[dict[str, Any]], width: int | None, height: int | None
) -> None:
    numbered = [{**stroke, "stroke_order": order} for order, stroke in enumerate(strokes)]
    page = read_page({"strokes": numbered, "width": width, "height": height})
    named = {skipped.order for skipped in page.skipped}
    drawn = {stroke.order: stroke.shape for stroke in page.drawn}
    assert named | drawn.keys() == set(range(len(strokes)))
    for order in drawn.keys() - named:
        shape = drawn[order]
        for contour in getattr(shape, "contours", ()):
            assert contour.min() >= -1
            assert contour[:, 0].max() <= page.width + 1
            assert contour[:, 1].max() <= page.height + 1
        if isinstance(shape, Circle | Text):
            assert -1 <= shape.x <= page.width + 1
            assert -1 <= shape.y <= page.height + 1
