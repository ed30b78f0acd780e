"""Writes a page as SVG."""

from base64 import b64encode
from itertools import count
from pathlib import Path
from typing import BinaryIO

from worker.canvases.board import DrawnPage
from worker.canvases.drawing.images import as_jpeg
from worker.canvases.drawing.page import draw_page, image_behind, plain_backdrop
from worker.canvases.engine import skia
from worker.canvases.shapes import Colour


def write_svg(page: DrawnPage, out: BinaryIO) -> None:
    """Write the page as SVG in CSS pixels, with letters as outlines, so that it needs no fonts.

    Raises EngineMissing, BadImage.
    """
    size = f'width="{page.width}" height="{page.height}"'.encode()
    # Without a viewBox, a web page that shows it at a smaller size would crop it.
    box = size + f' viewBox="0 0 {page.width} {page.height}"'.encode()
    if page.image is None:
        out.write(_svg(page, page.background).replace(size, box, 1))
        return
    # The engine would write the image once for each eraser, and without its size. So the backdrop is drawn in a colour
    # that nothing else has, which is then replaced by a pattern.
    colour = _unused(page)
    svg = _svg(page, colour).replace(size, box, 1)
    name = f'"#{colour.red:02X}{colour.green:02X}{colour.blue:02X}"'.encode()
    head, end, body = svg.partition(box + b">")
    out.write(head + end + _pattern(page, page.image) + body.replace(name, b'"url(#behind)"'))


def _svg(page: DrawnPage, behind: Colour) -> bytes:
    stream = skia.DynamicMemoryWStream()
    canvas = skia.SVGCanvas.Make(skia.Rect(page.width, page.height), stream, skia.SVGCanvas.kConvertTextToPaths_Flag)
    try:
        draw_page(canvas, page, plain_backdrop(behind))
    finally:
        # The canvas writes the end of the document when it is destroyed, which must happen before its stream is.
        del canvas
    return bytes(stream.detachAsData())


def _unused(page: DrawnPage) -> Colour:
    used = {(shape.colour.red, shape.colour.green, shape.colour.blue) for shape in page.shapes if shape.colour}
    # The engine writes all six digits of a colour that starts with 01.
    colours = (Colour(value >> 16, value >> 8 & 255, value & 255) for value in count(0x010203))
    return next(colour for colour in colours if (colour.red, colour.green, colour.blue) not in used)


def _pattern(page: DrawnPage, path: Path) -> bytes:
    size = f'width="{page.width}" height="{page.height}"'
    behind = image_behind(page, fine=True)
    jpeg = as_jpeg(behind, path)
    mime, data = ("image/png", behind.encodeToData()) if jpeg is None else ("image/jpeg", jpeg)
    address = f"data:{mime};base64,{b64encode(bytes(data)).decode()}"
    return (
        f'<defs><pattern id="behind" patternUnits="userSpaceOnUse" {size}>'
        f'<image {size} preserveAspectRatio="none" xlink:href="{address}"/></pattern></defs>'
    ).encode()
