"""Other renderers of the same page: CairoSVG, resvg, Pillow. Each takes a prepared page and returns a file."""

from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Any

import resvg_py
from PIL import Image, ImageDraw, ImageFont

from benchmarks.peers.ready_page import as_shapes, as_svg
from worker.canvases.board import DrawnPage
from worker.canvases.lettering.fonts import FAMILIES, font_path

# Pillow has no antialiasing, so it draws this many times as large and scales down. With a smaller factor its edges
# differ from the others' (similarity 0.98 instead of 0.99 on a page with little on it).
FINENESS = 4
_LATIN, _ETHIOPIC = "Arimo", "Noto Sans Ethiopic"

Render = Callable[[], bytes]


def cairo_is_there() -> bool:
    """Whether CairoSVG can load libcairo2, a system library that no Python package contains."""
    try:
        import cairosvg  # noqa: F401, PLC0415 - fails at the import
    except OSError:
        return False
    return True


def cairosvg_png(page: DrawnPage) -> Render:
    """CairoSVG to PNG, from a prepared SVG."""
    import cairosvg  # noqa: PLC0415 - see cairo_is_there

    source = as_svg(page).encode()
    return lambda: bytes(cairosvg.svg2png(bytestring=source))


def cairosvg_pdf(page: DrawnPage) -> Render:
    """CairoSVG to PDF, from a prepared SVG."""
    import cairosvg  # noqa: PLC0415 - see cairo_is_there

    source = as_svg(page).encode()
    return lambda: bytes(cairosvg.svg2pdf(bytestring=source))


def resvg_png(page: DrawnPage) -> Render:
    """resvg to PNG, from a prepared SVG. It need not search for fonts: the SVG uses none."""
    source = as_svg(page)
    return lambda: bytes(resvg_py.svg_to_bytes(svg_string=source, skip_system_fonts=True))


def pillow_png(page: DrawnPage) -> Render:
    """Pillow to PNG, from prepared points, in its own pixels."""
    shapes = [_enlarged(shape) for shape in as_shapes(page)]
    background = (page.background.red, page.background.green, page.background.blue)

    def render() -> bytes:
        image = Image.new("RGB", (page.width * FINENESS, page.height * FINENESS), background)
        canvas = ImageDraw.Draw(image)
        for shape in shapes:
            _draw(canvas, shape)
        out = BytesIO()
        image.reduce(FINENESS).save(out, "PNG")
        return out.getvalue()

    return render


def _enlarged(shape: dict[str, Any]) -> dict[str, Any]:
    def times(pair: tuple[float, float]) -> tuple[float, float]:
        return pair[0] * FINENESS, pair[1] * FINENESS

    large = dict(shape)
    if "points" in shape:
        points = [times(point) for point in shape["points"]]
        large["points"] = [*points, points[0]] if shape["closed"] else points
    elif "centre" in shape:
        (x, y), reach = times(shape["centre"]), (shape["radius"] + shape["width"] / 2) * FINENESS
        large["box"] = (x - reach, y - reach, x + reach, y + reach)
    else:
        large["at"] = times(shape["at"])
        family = _ETHIOPIC if any(letter >= "\u1200" for letter in shape["text"]) else _LATIN
        large["font"] = _font(family, shape["size"] * FINENESS)
    if "width" in shape:
        large["width"] = round(shape["width"] * FINENESS)
    return large


def _draw(canvas: ImageDraw.ImageDraw, shape: dict[str, Any]) -> None:
    colour = shape["colour"]
    if "box" in shape:
        canvas.ellipse(shape["box"], outline=colour, width=shape["width"])
    elif "font" in shape:
        canvas.text(shape["at"], shape["text"], fill=colour, font=shape["font"], anchor="ls")
    else:
        points, width = shape["points"], shape["width"]
        canvas.line(points, fill=colour, width=width, joint="curve")
        for x, y in (points[0], points[-1]):
            canvas.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=colour)


@cache
def _font(family: str, size: float) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(font_path(FAMILIES[family]), size)
    font.set_variation_by_axes([400, *[axis["default"] or 0 for axis in font.get_variation_axes()[1:]]])
    return font
