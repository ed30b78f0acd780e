"""A session as one PDF: vectors, a page for each page of the board, text that can be selected and searched."""

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from pypdf import PdfWriter

from worker.canvases.drawing import draw_page
from worker.canvases.engine import skia
from worker.canvases.pages import Page
from worker.errors import InvalidInput

# A CSS pixel is 1/96 inch, a point 1/72.
_POINTS_PER_PIXEL = 72 / 96


def write_pdf(pages: Iterable[Page], out: BinaryIO, title: str) -> None:
    """Write the pages in their order, with `title` as the document's and the pages' titles as bookmarks.

    Pages are drawn one at a time. Raises EngineMissing, BadImage, and InvalidInput when there is no page.
    """
    with TemporaryDirectory(prefix="astegni-pdf-") as folder:
        drawn = Path(folder) / "drawn.pdf"
        titles = _draw(pages, drawn)
        if not titles:
            raise InvalidInput("A board without pages makes no document.")
        # The engine writes no bookmarks.
        writer = PdfWriter(clone_from=drawn)
        writer.metadata = {"/Title": title, "/Producer": "Astegni"}
        for number, name in enumerate(titles):
            writer.add_outline_item(title=name, page_number=number)
        writer.write(out)


def _draw(pages: Iterable[Page], path: Path) -> list[str]:
    titles = []
    stream = skia.FILEWStream(str(path))
    document = skia.PDF.MakeDocument(stream)
    for page in pages:
        canvas = document.beginPage(page.width * _POINTS_PER_PIXEL, page.height * _POINTS_PER_PIXEL)
        canvas.scale(_POINTS_PER_PIXEL, _POINTS_PER_PIXEL)
        draw_page(canvas, page)
        document.endPage()
        titles.append(page.title)
    document.close()
    stream.flush()
    return titles
