"""PDF and SVG of boards: vectors, searchable text, titles and erasers."""

import contextlib
import errno
import gc
import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from pypdf import PdfReader

from worker.canvases.board import DrawnBoard, DrawnPage
from worker.canvases.drawing.images import BadImage, open_image
from worker.canvases.drawing.pdf import write_pdf
from worker.canvases.drawing.raster import write_png, write_thumbnail
from worker.canvases.drawing.svg import write_svg
from worker.canvases.engine import skia
from worker.canvases.stored.pages import read_board, read_page
from worker.errors import InvalidInput

pytestmark = pytest.mark.drawing

SVG = "{http://www.w3.org/2000/svg}"


def _text(text: str, **data: Any) -> dict[str, Any]:
    return {"stroke_type": "text", "stroke_data": {"text": text, "x": 40, "y": 60, "fontSize": 24, **data}}


def _pen(stroke_type: str, colour: str) -> dict[str, Any]:
    data = {"points": [[100, 300], [500, 320]], "color": colour, "width": 30}
    return {"stroke_type": stroke_type, "stroke_data": data}


LESSON = {
    "pages": [
        {
            "page_title": "Page 1 - ጂኦሜትሪ",
            "background_color": "#fef3c7",
            "strokes": [
                _text("የፒታጎረስ ቴዎረም a² + b² = c²"),
                _text("The longest side\nis the hypotenuse", y=120, formatting={"bold": True, "underline": True}),
            ],
        },
        {"page_title": "Page 2", "strokes": [_pen("pen", "#1d4ed8"), _pen("eraser", "#1d4ed8")]},
        {"page_title": "  ", "strokes": [], "width": 400, "height": 300},
    ]
}


def _pdf(board: DrawnBoard, title: str = "Lesson") -> PdfReader:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "lesson.pdf"
        write_pdf(board.pages, path, title)
        return PdfReader(io.BytesIO(path.read_bytes()), strict=True)


def test_a_pdf_has_the_pages_titles_and_bookmarks_of_the_board() -> None:
    document = _pdf(read_board(LESSON), "Geometry ትምህርት (1)")

    assert document.metadata is not None
    assert document.metadata.title == "Geometry ትምህርት (1)"
    assert [tuple(map(float, page.mediabox[2:])) for page in document.pages] == [(900, 600), (900, 600), (300, 225)]
    titles = [(item["/Title"], document.get_destination_page_number(item)) for item in document.outline]  # type: ignore[call-overload,arg-type]
    assert titles == [("Page 1 - ጂኦሜትሪ", 0), ("Page 2", 1), ("Page 3", 2)]


def test_words_of_a_pdf_can_be_found() -> None:
    words = _pdf(read_board(LESSON)).pages[0].extract_text()
    for phrase in ("የፒታጎረስ ቴዎረም a² + b² = c²", "The longest side", "is the hypotenuse"):
        assert phrase in words


def test_a_pdf_is_drawn_in_lines_and_letters_not_in_pixels() -> None:
    for page in _pdf(read_board(LESSON)).pages:
        assert len(page.images) == 0
    assert b" Tj" in (content := _content(0)) or b" TJ" in content


def _content(number: int) -> bytes:
    contents = _pdf(read_board(LESSON)).pages[number].get_contents()
    assert contents is not None
    return contents.get_data()


def test_the_eraser_of_a_pdf_paints_the_page_over_the_ink() -> None:
    colours = [
        [round(float(part) * 255) for part in colour.split()]
        for colour in re.findall(rb"([\d.]+ [\d.]+ [\d.]+) RG", _content(1))
    ]
    paper, blue = [255, 255, 255], [0x1D, 0x4E, 0xD8]
    # Last the paper, whatever colour the eraser's row carries.
    assert colours == [paper, blue, paper]


@pytest.mark.parametrize("title", ["", "half \ud83d", "a\x00b\n()\\", "x" * 5000, "ትምህርት"])
def test_any_title_makes_a_document(title: str) -> None:
    document = _pdf(read_board({"pages": [{"page_title": title, "strokes": []}]}), title)
    assert len(document.outline) == 1


def test_a_document_whose_pages_end_in_an_error_leaves_the_process_alive(tmp_path: Path) -> None:
    def pages() -> Iterator[DrawnPage]:
        yield from read_board(LESSON).pages
        raise ConnectionError("the database is gone")

    with pytest.raises(ConnectionError):
        write_pdf(pages(), tmp_path / "lesson.pdf", "Lesson")
    gc.collect()


def test_a_board_without_pages_is_no_document(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        write_pdf([], tmp_path / "nothing.pdf", "nothing")


def test_a_document_that_the_disk_did_not_take_is_an_error() -> None:
    strokes = [_pen("pen", "#1d4ed8") for _number in range(2000)]
    with pytest.raises(OSError, match="space") as raised:
        write_pdf(read_board({"strokes": strokes}).pages, Path("/dev/full"), "Lesson")
    assert raised.value.errno == errno.ENOSPC


def test_svg_is_xml_in_css_pixels_with_letters_as_outlines() -> None:
    for page in read_board(LESSON).pages:
        out = io.BytesIO()
        write_svg(page, out)
        root = ET.fromstring(out.getvalue())  # noqa: S314 - our own
        assert root.tag == f"{SVG}svg"
        assert root.get("viewBox") == f"0 0 {page.width} {page.height}"
        assert (root.get("width"), root.get("height")) == (str(page.width), str(page.height))
        assert not root.findall(f".//{SVG}text")
        assert not root.findall(f".//{SVG}image")


def test_the_same_page_is_the_same_svg() -> None:
    first, second = io.BytesIO(), io.BytesIO()
    for out in (first, second):
        write_svg(read_board(LESSON).pages[0], out)
    assert first.getvalue() == second.getvalue()


@pytest.fixture
def halves(tmp_path: Path) -> Path:
    """A square picture, red above and green below."""
    shades = np.full((300, 300, 4), 255, np.uint8)
    shades[:150, :, 1:3] = 0
    shades[150:, :, 0:3:2] = 0
    path = tmp_path / "halves.png"
    path.write_bytes(bytes(skia.Image.fromarray(shades, colorType=skia.kRGBA_8888_ColorType).encodeToData()))
    return path


def _on_picture(image: Path) -> Any:
    strokes = [
        {"stroke_type": "pen", "stroke_data": {"points": [[0, 200], [600, 200]], "color": "#0000ff", "width": 40}},
        {"stroke_type": "eraser", "stroke_data": {"points": [[0, 200], [400, 200]], "color": "#000", "width": 60}},
    ]
    page = {"width": 600, "height": 300, "background_color": "#fef3c7", "strokes": strokes}
    return read_page(page, image=image)


def _shade(picture: bytes, x: int, y: int) -> list[int]:
    image = skia.Image.MakeFromEncoded(skia.Data.MakeWithCopy(picture))
    shade: list[int] = image.toarray(colorType=skia.kRGBA_8888_ColorType)[y, x, :3].tolist()
    return shade


def test_a_picture_lies_behind_the_ink_and_shows_again_where_it_is_erased(halves: Path) -> None:
    png, webp = io.BytesIO(), io.BytesIO()
    write_png(_on_picture(halves), png)
    write_thumbnail(_on_picture(halves), webp)
    paper, red, green, blue = [254, 243, 199], [255, 0, 0], [0, 255, 0], [0, 0, 255]
    expected = {
        (20, 20): paper,
        (300, 50): red,
        (300, 290): green,
        (300, 200): green,
        (20, 200): paper,
        (430, 200): blue,
        (580, 200): blue,
    }
    assert {at: _shade(png.getvalue(), *at) for at in expected} == expected
    assert _shade(webp.getvalue(), 390, 133)[2] > 200


def test_a_photograph_stays_a_jpeg(halves: Path, tmp_path: Path) -> None:
    """Compressed without loss, it is five times as large, and takes three seconds. A drawing keeps its sharp edges."""
    photo, lesson = tmp_path / "photo", tmp_path / "lesson.pdf"
    photo.write_bytes(bytes(open_image(halves).encodeToData(skia.kJPEG, 90)))
    for image, mime in ((photo, b"image/jpeg"), (halves, b"image/png")):
        svg = io.BytesIO()
        write_svg(_on_picture(image), svg)
        assert re.findall(rb"data:([a-z/]+);", svg.getvalue()) == [mime]
        write_pdf([_on_picture(image)], lesson, "Lesson")
        assert (b"/DCTDecode" in lesson.read_bytes()) is (image is photo)
        assert len(PdfReader(lesson).pages) == 1


def test_a_picture_is_in_the_pdf_and_in_the_svg(halves: Path, tmp_path: Path) -> None:
    write_pdf([_on_picture(halves)], tmp_path / "picture.pdf", "picture")
    assert b"/Subtype /Image" in (tmp_path / "picture.pdf").read_bytes()
    drawn = io.BytesIO()
    write_svg(_on_picture(halves), drawn)
    root = ET.fromstring(drawn.getvalue())  # noqa: S314 - our own
    # Once, however often something is erased.
    assert len(root.findall(f".//{SVG}image")) == 1


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"<svg/>", b"\x89PNG\r\n\x1a\n" + bytes(50)])
def test_what_is_no_picture_is_refused_by_every_form(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(content)
    for write in (write_png, write_svg, write_thumbnail):
        with pytest.raises(BadImage):
            write(_on_picture(path), io.BytesIO())
    with pytest.raises(BadImage):
        write_pdf([_on_picture(path)], tmp_path / "broken.pdf", "broken")


def test_a_picture_cut_short_is_drawn_or_refused(halves: Path) -> None:
    halves.write_bytes(halves.read_bytes()[:-40])
    with contextlib.suppress(BadImage):
        write_png(_on_picture(halves), io.BytesIO())
