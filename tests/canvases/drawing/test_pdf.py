"""Bookmarks are appended to a document, and nothing of it is lost."""

from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import Destination

from worker.canvases.drawing.pdf import _add_bookmarks, _WrittenPage

_TITLES = ["Page 1", "ገጽ ሁለት (2) \\ end", ""]


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """Three blank pages with a title and no bookmarks."""
    path = tmp_path / "document.pdf"
    writer = PdfWriter()
    for number in range(3):
        writer.add_blank_page(100 + number, 100)
    writer.metadata = {"/Title": "Algebra"}
    writer.write(path)
    return path


def test_each_page_has_its_bookmark(document: Path) -> None:
    before = document.read_bytes()
    _add_bookmarks(document, [_WrittenPage(title, None) for title in _TITLES])
    assert document.read_bytes().startswith(before)
    reader = PdfReader(document, strict=True)
    bookmarks = [
        (item.title, reader.get_destination_page_number(item))
        for item in reader.outline
        if isinstance(item, Destination)
    ]
    assert bookmarks == [(title, number) for number, title in enumerate(_TITLES)]
    assert [page.mediabox.width for page in reader.pages] == [100, 101, 102]
    assert reader.metadata is not None
    assert reader.metadata.title == "Algebra"
