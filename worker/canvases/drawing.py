"""The one drawing routine: pictures, documents and films all come from here.

Ink lies on the page. Where an eraser went, the page shows again, whatever colour the eraser's row carries: it paints
what lies behind the ink. For an opaque page that is, also along antialiased edges, the same as a transparent layer of
ink with a hole in it, and needs no layers, which neither SVG nor PDF erase in.
"""

from typing import Any

from worker.canvases.engine import skia
from worker.canvases.figures import Circle, Colour, Figure, Lines, Points
from worker.canvases.images import fitted, open_image
from worker.canvases.lettering import draw_text
from worker.canvases.pages import Page


def draw_page(canvas: Any, page: Page) -> None:
    """Draw background and ink of the page on a canvas whose unit is a CSS pixel."""
    backdrop = backdrop_of(page)
    draw_background(canvas, page, backdrop)
    for figure in page.figures:
        draw_figure(canvas, figure, backdrop)


def backdrop_of(page: Page) -> Any:
    """What lies behind the ink, as a paint: the page's colour, or its picture."""
    paint = skia.Paint(AntiAlias=True, Color=_argb(page.background))
    if page.image is not None:
        image = open_image(page.image)
        # The page's colour shows around the picture, so both are drawn into one that is as large as the page.
        surface = skia.Surface(page.width, page.height)
        with surface as canvas:
            canvas.clear(_argb(page.background))
            canvas.drawImageRect(image, skia.Rect(*fitted(image, page.width, page.height)), skia.SamplingOptions())
        paint.setShader(surface.makeImageSnapshot().makeShader())
    return paint


def draw_background(canvas: Any, page: Page, backdrop: Any) -> None:
    """Cover the page with its backdrop."""
    canvas.drawRect(skia.Rect(page.width, page.height), backdrop)


def draw_figure(canvas: Any, figure: Figure, backdrop: Any) -> None:
    """Draw one figure; one that erases shows the backdrop."""
    if isinstance(figure, Lines):
        ink = skia.Paint(backdrop) if figure.colour is None else _paint(figure.colour)
        canvas.drawPath(_path(figure), _pen(ink, figure.width))
    elif isinstance(figure, Circle):
        canvas.drawCircle(figure.x, figure.y, figure.radius, _pen(_paint(figure.colour), figure.width))
    else:
        draw_text(canvas, figure, _paint(figure.colour))


def _path(lines: Lines) -> Any:
    path = skia.Path()
    for contour in lines.contours:
        _add(path, contour)
        if lines.closed:
            path.close()
    return path


def _add(path: Any, contour: Points) -> None:
    if not len(contour):
        return
    first, *others = contour.tolist()
    path.moveTo(*first)
    line_to = path.lineTo
    for x, y in others:
        line_to(x, y)


def _paint(colour: Colour) -> Any:
    return skia.Paint(AntiAlias=True, Color=_argb(colour))


def _pen(paint: Any, width: float) -> Any:
    paint.setStyle(skia.Paint.kStroke_Style)
    paint.setStrokeWidth(width)
    paint.setStrokeCap(skia.Paint.kRound_Cap)
    paint.setStrokeJoin(skia.Paint.kRound_Join)
    return paint


def _argb(colour: Colour) -> int:
    return round(255 * colour.alpha) << 24 | colour.red << 16 | colour.green << 8 | colour.blue
