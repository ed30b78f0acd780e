"""A page prepared for the peers: its shapes are computed in advance, in the form that suits each peer best."""

import re
from io import BytesIO
from typing import Any

from worker.canvases.board import DrawnPage, DrawnStroke
from worker.canvases.drawing.svg import write_svg
from worker.canvases.shapes import Circle, Colour, Lines, Text

_OUTLINE = re.compile(rb"<path[^>]*/>")


def as_shapes(page: DrawnPage) -> list[dict[str, Any]]:
    """The page as lines, arcs and letters: one object for each shape, numbers in lists."""
    shapes: list[dict[str, Any]] = []
    for shape in page.shapes:
        colour = _hex(getattr(shape, "colour", None) or page.background)
        if isinstance(shape, Lines):
            for contour in shape.contours:
                points = [tuple(point) for point in contour.tolist()]
                shapes.append({"points": points, "closed": shape.closed, "width": shape.width, "colour": colour})
        elif isinstance(shape, Circle):
            centre = (shape.x, shape.y)
            shapes.append({"centre": centre, "radius": shape.radius, "width": shape.width, "colour": colour})
        else:
            [line] = shape.lines
            at = (shape.x, shape.y)
            shapes.append({"text": line, "at": at, "size": shape.size, "colour": colour})
    return shapes


def as_svg(page: DrawnPage) -> str:
    """The smallest SVG. Letters are outlines, so that the fonts a renderer finds do not matter."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{page.width}" height="{page.height}">',
        f'<rect width="100%" height="100%" fill="{_hex(page.background)}"/>',
        '<g fill="none" stroke-linecap="round" stroke-linejoin="round">',
    ]
    for drawn in page.drawn:
        shape = drawn.shape
        if isinstance(shape, Text):
            parts.append(_outlines(page, drawn))
            continue
        pen = f'stroke="{_hex(shape.colour or page.background)}" stroke-width="{shape.width:g}"'
        if isinstance(shape, Circle):
            parts.append(f'<circle cx="{shape.x:.2f}" cy="{shape.y:.2f}" r="{shape.radius:.2f}" {pen}/>')
            continue
        name = "polygon" if shape.closed else "polyline"
        for contour in shape.contours:
            points = " ".join([f"{x:.2f},{y:.2f}" for x, y in contour.tolist()])
            parts.append(f'<{name} points="{points}" {pen}/>')
    return "".join([*parts, "</g></svg>"])


def _outlines(page: DrawnPage, drawn: DrawnStroke) -> str:
    """The letters of one text, as our own SVG has them."""
    out = BytesIO()
    alone = DrawnPage(1, "", page.width, page.height, page.background, (drawn,))
    write_svg(alone, out)
    return b"".join(_OUTLINE.findall(out.getvalue())).decode()


def _hex(colour: Colour) -> str:
    return f"#{colour.red:02x}{colour.green:02x}{colour.blue:02x}"
