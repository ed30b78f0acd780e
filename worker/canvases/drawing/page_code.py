"""A QR code below a page of a document, which opens an address when it is scanned or tapped."""

from typing import Any

import segno
from pypdf import PdfWriter
from pypdf.annotations import Link

from worker.canvases.engine import skia

# Height in CSS pixels of the strip below the board, which has no ink, and of the code with its quiet zone.
STRIP = 96
# Modules around the code (ISO/IEC 18004 §9.1).
_QUIET = 4


def draw_code(canvas: Any, address: str, left: float, top: float) -> None:
    """Draw the code as vector squares on white; it is STRIP pixels wide and high."""
    rows = [list(row) for row in segno.make_qr(address, error="m").matrix_iter(border=_QUIET)]
    side = STRIP / len(rows)
    canvas.drawRect(skia.Rect.MakeXYWH(left, top, STRIP, STRIP), skia.Paint(Color=skia.ColorWHITE))
    path = skia.Path()
    for row, modules in enumerate(rows):
        for column, is_dark in enumerate(modules):
            if is_dark:
                path.addRect(skia.Rect.MakeXYWH(left + column * side, top + row * side, side, side))
    # Without smoothing there are no fine white lines between the squares.
    canvas.drawPath(path, skia.Paint(Color=skia.ColorBLACK, AntiAlias=False))


def add_link(writer: PdfWriter, number: int, address: str) -> None:
    """Make the code of this page of the document a link; it is in the lower right corner."""
    width = float(writer.pages[number].mediabox.width)
    side = STRIP * 72 / 96
    writer.add_annotation(number, Link(rect=(width - side, 0, width, side), url=address))
