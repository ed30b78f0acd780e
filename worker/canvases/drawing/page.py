"""The one drawing routine: pictures, documents and films all come from here.

Ink lies on the page. Where an eraser went, the page shows again, whatever colour the eraser's row carries: it paints
what lies behind the ink. For an opaque page that is, also along antialiased edges, the same as a transparent layer of
ink with a hole in it, and needs no layers, which neither SVG nor PDF erase in.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from worker.canvases.drawing.images import fitted_rectangle, open_image
from worker.canvases.engine import skia
from worker.canvases.lettering.text import draw_text
from worker.canvases.shapes import Circle, Colour, Figure, Lines, Points
from worker.canvases.stored.pages import DrawnPage

# A picture behind the ink is kept at two pixels per CSS pixel for what is drawn larger than the board and for
# documents; a page larger than this (in square CSS pixels, 64 MB then) at one.
_LARGEST_FINE_PAGE = 4_000_000
# Points of one path. A hand's strokes are far shorter.
_LONGEST_PIECE = 512


def draw_page(canvas: Any, page: DrawnPage, backdrop: Any = None) -> None:
    """Draw background and ink of the page on a canvas whose unit is a CSS pixel.

    `backdrop` stands for the page's own when given; else this raises BadImage.
    """
    if backdrop is None:
        backdrop = backdrop_of(page, fine=canvas.getTotalMatrix().getScaleX() > 1)
    draw_background(canvas, page, backdrop)
    for figure in page.figures:
        draw_figure(canvas, figure, backdrop)


def backdrop_of(page: DrawnPage, *, fine: bool = False) -> Any:
    """What lies behind the ink, as a paint: the page's colour, or its picture. Raises BadImage."""
    paint = plain_backdrop(page.background)
    if page.image is not None:
        behind = image_behind(page, fine=fine)
        shrunk = skia.Matrix.Scale(page.width / behind.width(), page.height / behind.height())
        smooth = skia.SamplingOptions(skia.FilterMode.kLinear)
        paint.setShader(behind.makeShader(samplingOptions=smooth, localMatrix=shrunk))
    return paint


def plain_backdrop(colour: Colour) -> Any:
    """The paint of a page of one colour."""
    return skia.Paint(AntiAlias=True, Color=_argb(colour))


def image_behind(page: DrawnPage, *, fine: bool) -> Any:
    """The page's picture on its paper, as large as the page or, when `fine`, twice. Raises BadImage."""
    if page.image is None:
        raise ValueError("the page has no picture")
    image = open_image(page.image)
    density = 2 if fine and page.width * page.height <= _LARGEST_FINE_PAGE else 1
    surface = skia.Surface(page.width * density, page.height * density)
    with surface as canvas:
        canvas.clear(_argb(page.background))
        canvas.scale(density, density)
        place = skia.Rect(*fitted_rectangle(image, page.width, page.height))
        canvas.drawImageRect(image, place, skia.SamplingOptions(skia.FilterMode.kLinear))
    return surface.makeImageSnapshot()


def draw_background(canvas: Any, page: DrawnPage, backdrop: Any) -> None:
    """Cover the page with its backdrop."""
    canvas.drawRect(skia.Rect(page.width, page.height), backdrop)


def draw_figure(canvas: Any, figure: Figure, backdrop: Any) -> None:
    """Draw one figure; one that erases shows the backdrop."""
    if isinstance(figure, Lines):
        erases = figure.colour is None
        pen = _pen(skia.Paint(backdrop), figure.width) if erases else _coloured_pen(figure.colour, figure.width)
        for path in _paths(figure):
            canvas.drawPath(path, pen)
    elif isinstance(figure, Circle):
        canvas.drawCircle(figure.x, figure.y, figure.radius, _coloured_pen(figure.colour, figure.width))
    else:
        draw_text(canvas, figure, _paint(figure.colour))


def _paths(lines: Lines) -> Iterator[Any]:
    """The contours as one path; a long line of an opaque pen as several, which look the same.

    What a path costs grows with the square of its points where it crosses itself: 8.6 s for 20 000 points all over a
    page, 0.7 s in pieces. Where a pen lets light through, pieces would be darker at their ends.
    """
    path = skia.Path()
    for contour in lines.contours:
        if lines.closed or len(contour) <= _LONGEST_PIECE or (lines.colour is not None and lines.colour.alpha < 1):
            _add(path, contour)
            if lines.closed:
                path.close()
            continue
        for start in range(0, len(contour) - 1, _LONGEST_PIECE - 1):
            piece = skia.Path()
            _add(piece, contour[start : start + _LONGEST_PIECE])
            yield piece
    if not path.isEmpty():
        yield path


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


@lru_cache(maxsize=256)
def _coloured_pen(colour: Colour, width: float) -> Any:
    """A hand takes few pens, and thousands of strokes with each."""
    return _pen(_paint(colour), width)


def _pen(paint: Any, width: float) -> Any:
    paint.setStyle(skia.Paint.kStroke_Style)
    paint.setStrokeWidth(width)
    paint.setStrokeCap(skia.Paint.kRound_Cap)
    paint.setStrokeJoin(skia.Paint.kRound_Join)
    return paint


def _argb(colour: Colour) -> int:
    return round(255 * colour.alpha) << 24 | colour.red << 16 | colour.green << 8 | colour.blue
