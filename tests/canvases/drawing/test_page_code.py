"""QR codes below pages, read back from the rendered document by another program."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pypdfium2  # type: ignore[import-untyped]
import pytest
import zxingcpp
from pypdf import PdfReader

from worker.canvases.board import DrawnBoard
from worker.canvases.drawing.page_code import STRIP
from worker.canvases.drawing.pdf import write_pdf
from worker.canvases.stored.pages import read_board

pytestmark = pytest.mark.drawing

LONG = "https://astegni.example/watch/123456789#t=86399&" + "x" * 60


def board() -> DrawnBoard:
    """Three pages whose last one is full of ink, to its very edges."""
    ink: dict[str, Any] = {"points": [[0, 719], [1279, 719]], "color": "#000000", "width": 400}
    full = {"stroke_type": "pen", "stroke_data": ink}
    return read_board({"pages": [{"page_title": f"Page {n}", "strokes": [full] if n == 2 else []} for n in range(3)]})


def documents(folder: Path, addresses: dict[int, str]) -> Path:
    """The document of the board; its pages have the ids 1, 2 and 3."""
    path = folder / "board.pdf"
    pages = [replace(page, page_id=number) for number, page in enumerate(board().pages, start=1)]
    write_pdf(pages, path, "Lesson", addresses=addresses)
    return path


def codes(path: Path) -> list[list[str]]:
    """The codes that a scanner finds on each page, printed with 150 dots per inch."""
    with pypdfium2.PdfDocument(path) as document:
        pictures = [page.render(scale=150 / 72).to_pil() for page in document]
    return [[code.text for code in zxingcpp.read_barcodes(picture)] for picture in pictures]


def test_each_page_has_the_code_of_its_address(tmp_path: Path) -> None:
    path = documents(tmp_path, {1: "https://astegni.example/watch/7#t=0", 3: LONG})

    assert codes(path) == [["https://astegni.example/watch/7#t=0"], [], [LONG]]
    reader = PdfReader(path, strict=True)
    # The board keeps its size: no ink lies in the strip.
    heights = [round(float(page.mediabox.height) / 0.75) for page in reader.pages]
    strips = [height - page.height for height, page in zip(heights, board().pages, strict=True)]
    assert strips == [STRIP, 0, STRIP]
    links = [[str(note.get_object()["/A"]["/URI"]) for note in page.get("/Annots", ())] for page in reader.pages]
    assert links == [["https://astegni.example/watch/7#t=0"], [], [LONG]]


def test_a_document_without_addresses_is_as_before(tmp_path: Path) -> None:
    assert codes(documents(tmp_path, {})) == [[], [], []]
