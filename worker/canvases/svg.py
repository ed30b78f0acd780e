"""A page as SVG."""

from typing import BinaryIO

from worker.canvases.drawing import draw_page
from worker.canvases.engine import skia
from worker.canvases.pages import Page


def write_svg(page: Page, out: BinaryIO) -> None:
    """Write the page as SVG in CSS pixels, letters as outlines: it looks the same where its fonts are missing.

    Raises EngineMissing, BadImage.
    """
    stream = skia.DynamicMemoryWStream()
    canvas = skia.SVGCanvas.Make(skia.Rect(page.width, page.height), stream, skia.SVGCanvas.kConvertTextToPaths_Flag)
    draw_page(canvas, page)
    # The end of the document is written when the canvas goes.
    del canvas
    size = f'width="{page.width}" height="{page.height}"'
    # Without a viewBox a page that shows it smaller would cut it off.
    out.write(
        bytes(stream.detachAsData()).replace(
            size.encode(), f'{size} viewBox="0 0 {page.width} {page.height}"'.encode(), 1
        )
    )
