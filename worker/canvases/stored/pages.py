"""Converts stored boards to pages that can be drawn: shapes in drawing order, background and size.

A page document is `{"background_color", "width", "height", "page_title", "page_number", "strokes": [...]}`, a stroke
`{"stroke_type", "stroke_data", "stroke_order", "created_at", …}`; a board is `{"pages": [...]}`, or one page alone.
The document is an object; anything in it may be missing or invalid.
"""

from collections.abc import Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any

from worker.canvases.board import DrawnBoard, DrawnPage, DrawnStroke, SkippedStroke
from worker.canvases.limits import MAX_PAGES, MAX_POINTS_OF_PAGE, MAX_STROKES_OF_PAGE
from worker.canvases.shapes import WHITE, Lines, Shape
from worker.canvases.stored.colours import colour_of, over_white
from worker.canvases.stored.json_text import gc_paused
from worker.canvases.stored.page_size import InkBounds, OutsidePage, ink_bounds_of, overflow_message, page_size
from worker.canvases.stored.stroke_data import shape_of
from worker.canvases.stored.stroke_fields import Undrawable
from worker.canvases.stored.stroke_row import StrokeRow, drawing_place, is_integer


def read_board(document: Mapping[str, Any], *, title: str = "", ever: bool = False) -> DrawnBoard:
    """The board of a `board_snapshot`, or of a single page; `ever` as in `read_page`."""
    pages = document.get("pages")
    if not isinstance(pages, list):
        return DrawnBoard(title, (read_page(document, number=1, ever=ever),))
    page_documents = [page for page in pages[:MAX_PAGES] if isinstance(page, Mapping)]
    return DrawnBoard(
        title, tuple(read_page(page, number=number, ever=ever) for number, page in enumerate(page_documents, start=1))
    )


def read_page(
    document: Mapping[str, Any], *, number: int = 1, image: Path | None = None, ever: bool = False
) -> DrawnPage:
    """The page of a document; strokes that cannot be drawn, or only in part, are in `skipped`.

    Strokes are a list in any order, or an iterator in drawing order, of which one is in memory at a time: as Python
    values a stroke takes ten times the memory of its JSON, as a shape twice.

    `ever`: the page is large enough for strokes that were undone or cleared too, since a replay shows them.
    """
    with gc_paused():
        return _read_page(document, number, image, ever=ever)


def _read_page(document: Mapping[str, Any], number: int, image: Path | None, *, ever: bool) -> DrawnPage:
    strokes = document.get("strokes")
    drawn, skipped = _read_strokes(_in_drawing_order(strokes))
    stored_number, page_id = document.get("page_number"), document.get("page_id")
    page_number = stored_number if is_integer(stored_number) else number
    title = document.get("page_title")
    reaches = [ink_bounds_of(stroke.shape) if ever or stroke.deleted_at is None else None for stroke in drawn]
    width, height = page_size(filter(None, reaches), document.get("width"), document.get("height"))
    drawn, outside = _on_page(drawn, reaches, width, height)
    return DrawnPage(
        number=page_number,
        title=title[:200] if isinstance(title, str) and title.strip() else f"Page {page_number}",
        width=width,
        height=height,
        background=over_white(colour_of(document.get("background_color")) or WHITE),
        drawn=tuple(drawn),
        skipped=(*skipped, *outside),
        page_id=page_id if is_integer(page_id) else None,
        image=image,
    )


def _in_drawing_order(strokes: object) -> Iterator["StrokeRow"]:
    """At most MAX_STROKES_OF_PAGE strokes in drawing order, and one more when there are more."""
    if isinstance(strokes, Iterator):
        return islice(map(StrokeRow.of, strokes), MAX_STROKES_OF_PAGE + 1)
    if not isinstance(strokes, list | tuple):
        return iter(())
    first = sorted(map(StrokeRow.of, strokes[:MAX_STROKES_OF_PAGE]), key=drawing_place)
    return chain(first, map(StrokeRow.of, strokes[MAX_STROKES_OF_PAGE : MAX_STROKES_OF_PAGE + 1]))


def _read_strokes(strokes: Iterator["StrokeRow"]) -> tuple[list[DrawnStroke], list[SkippedStroke]]:
    drawn: list[DrawnStroke] = []
    skipped: list[SkippedStroke] = []
    points = 0
    for number, stroke in enumerate(strokes):
        if number == MAX_STROKES_OF_PAGE:
            skipped.insert(
                0, SkippedStroke(None, f"only the first {MAX_STROKES_OF_PAGE} strokes of the page are drawn")
            )
            break
        if stroke.is_nothing:
            continue
        try:
            shape, remarks = shape_of(stroke.type, stroke.data)
            points += _points_in(shape)
            if points > MAX_POINTS_OF_PAGE:
                raise Undrawable(f"the page has more than {MAX_POINTS_OF_PAGE} points")
        except Undrawable as error:
            skipped.append(SkippedStroke(stroke.order, str(error)))
            continue
        skipped.extend(SkippedStroke(stroke.order, remark) for remark in remarks)
        drawn.append(DrawnStroke(shape, stroke.order, *stroke.instants))
    return drawn, skipped


def _on_page(
    drawn: list[DrawnStroke], reaches: list[InkBounds | None], width: int, height: int
) -> tuple[list[DrawnStroke], list[SkippedStroke]]:
    """The strokes on a page of this size, and a remark for each that lies outside of it or reaches beyond it."""
    inside: list[DrawnStroke] = []
    outside: list[SkippedStroke] = []
    for stroke, reach in zip(drawn, reaches, strict=True):
        try:
            remark = overflow_message(reach, width, height) if reach else None
        except OutsidePage as error:
            outside.append(SkippedStroke(stroke.order, str(error)))
            continue
        if remark:
            outside.append(SkippedStroke(stroke.order, remark))
        inside.append(stroke)
    return inside, outside


def _points_in(shape: Shape) -> int:
    return sum(map(len, shape.contours)) if isinstance(shape, Lines) else 1
