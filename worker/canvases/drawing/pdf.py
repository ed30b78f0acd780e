"""Writes a session as one PDF: vector graphics, one page per page of the board, selectable and searchable text."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pypdf import PdfWriter
from pypdf.generic import Fit

from worker.canvases.board import DrawnPage
from worker.canvases.drawing.page import backdrop_of, draw_page
from worker.canvases.engine import skia
from worker.errors import InvalidInput

# A CSS pixel is 1/96 inch, a point 1/72.
_POINTS_PER_PIXEL = 72 / 96


def write_pdf(pages: Iterable[DrawnPage], path: Path, title: str) -> None:
    """Write the pages in their order, with `title` as the document's title and the pages' titles as bookmarks.

    Pages are drawn one at a time. Raises EngineMissing, BadImage, OSError, and InvalidInput when there is no page; the
    file is not usable then.
    """
    # In memory (a megabyte for a page full of ink): the engine crashes when it writes to a full disk.
    stream = skia.DynamicMemoryWStream()
    titles = _draw(pages, stream, title)
    if not titles:
        raise InvalidInput("A board without pages makes no document.")
    path.write_bytes(memoryview(stream.detachAsData()))
    _add_bookmarks(path, titles)


def _add_bookmarks(path: Path, titles: list[str]) -> None:
    """Append an outline that names each page; the engine writes none."""
    writer = PdfWriter(path, incremental=True)
    for number, title in enumerate(titles):
        writer.add_outline_item(title=title, page_number=number, fit=Fit.fit())
    writer.write(path)


def _draw(pages: Iterable[DrawnPage], stream: Any, title: str) -> list[str]:
    titles = []
    facts = skia.PDF.Metadata()
    facts.fTitle, facts.fProducer = _storable(title), "Astegni"
    document = skia.PDF.MakeDocument(stream, facts)
    try:
        for page in pages:
            # An invalid image raises before the page is begun.
            backdrop = backdrop_of(page, fine=True)
            canvas = document.beginPage(page.width * _POINTS_PER_PIXEL, page.height * _POINTS_PER_PIXEL)
            canvas.scale(_POINTS_PER_PIXEL, _POINTS_PER_PIXEL)
            draw_page(canvas, page, backdrop)
            document.endPage()
            titles.append(_storable(page.title))
        document.close()
    except BaseException:
        # An open document writes when it is destroyed, and its stream may have been destroyed before it.
        document.abort()
        raise
    return titles


def _storable(title: str) -> str:
    """The title without lone surrogates, which JSON can contain and UTF-8 cannot encode."""
    return title.encode(errors="replace").decode()
