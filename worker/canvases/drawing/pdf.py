"""Writes a session as one PDF: vector graphics, one page per page of the board, selectable and searchable text."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pypdf import PdfWriter
from pypdf.generic import Fit

from worker.canvases.board import DrawnPage
from worker.canvases.drawing.page import backdrop_of, draw_page
from worker.canvases.drawing.page_code import STRIP, add_link, draw_code
from worker.canvases.engine import skia
from worker.errors import InvalidInput

# A CSS pixel is 1/96 inch, a point 1/72.
_POINTS_PER_PIXEL = 72 / 96
NO_ADDRESSES: Mapping[int, str] = MappingProxyType({})


def write_pdf(
    pages: Iterable[DrawnPage], path: Path, title: str, *, addresses: Mapping[int, str] = NO_ADDRESSES
) -> None:
    """Write the pages in their order, with `title` as the document's title and the pages' titles as bookmarks.

    A page with one of the `addresses` (by page id) gets a strip below with its QR code, which is also a link.
    Pages are drawn one at a time. Raises EngineMissing, BadImage, OSError, and InvalidInput when there is no page; the
    file is not usable then.
    """
    # In memory (a megabyte for a page full of ink): the engine crashes when it writes to a full disk.
    stream = skia.DynamicMemoryWStream()
    written = _draw(pages, stream, title, addresses)
    if not written:
        raise InvalidInput("A board without pages makes no document.")
    path.write_bytes(memoryview(stream.detachAsData()))
    _add_bookmarks(path, written)


@dataclass(frozen=True)
class _WrittenPage:
    """A page of the document: its title, and the address of its code."""

    title: str
    address: str | None


def _add_bookmarks(path: Path, pages: list[_WrittenPage]) -> None:
    """Append an outline that names each page, and the links; the engine writes none."""
    writer = PdfWriter(path, incremental=True)
    for number, page in enumerate(pages):
        writer.add_outline_item(title=page.title, page_number=number, fit=Fit.fit())
        if page.address is not None:
            add_link(writer, number, page.address)
    writer.write(path)


def _draw(pages: Iterable[DrawnPage], stream: Any, title: str, addresses: Mapping[int, str]) -> list[_WrittenPage]:
    written = []
    facts = skia.PDF.Metadata()
    facts.fTitle, facts.fProducer = _storable(title), "Astegni"
    document = skia.PDF.MakeDocument(stream, facts)
    try:
        for page in pages:
            # An invalid image raises before the page is begun.
            backdrop = backdrop_of(page, fine=True, small=True)
            address = None if page.page_id is None else addresses.get(page.page_id)
            height = page.height + (0 if address is None else STRIP)
            canvas = document.beginPage(page.width * _POINTS_PER_PIXEL, height * _POINTS_PER_PIXEL)
            canvas.scale(_POINTS_PER_PIXEL, _POINTS_PER_PIXEL)
            if address is not None:
                draw_code(canvas, address, page.width - STRIP, page.height)
                canvas.clipRect(skia.Rect.MakeWH(page.width, page.height))
            draw_page(canvas, page, backdrop)
            document.endPage()
            written.append(_WrittenPage(_storable(page.title), address))
        document.close()
    except BaseException:
        # An open document writes when it is destroyed, and its stream may have been destroyed before it.
        document.abort()
        raise
    return written


def _storable(title: str) -> str:
    """The title without lone surrogates, which JSON can contain and UTF-8 cannot encode."""
    return title.encode(errors="replace").decode()
