"""The one drawing routine, used for images, documents and films.

An eraser paints the backdrop of the page over the ink, whatever colour its row has. For an opaque page the result is
the same as erasing from a transparent layer of ink, antialiased edges included, and it needs no layers: neither SVG nor
PDF can erase within one.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from worker.canvases.board import DrawnPage
from worker.canvases.drawing.images import as_jpeg, fitted_rectangle, open_image
from worker.canvases.engine import skia
from worker.canvases.lettering.text import draw_text
from worker.canvases.shapes import Circle, Colour, Lines, Points, Shape

# A background image is rendered at two pixels per CSS pixel for documents and for scales above 1, or at one pixel when
# the page is larger than this (square CSS pixels; it takes 64 MB at two).
_LARGEST_FINE_PAGE = 4_000_000
# Points of one path. Hand-drawn strokes are far shorter.
LONGEST_PIECE = 512


def draw_page(canvas: Any, page: DrawnPage, backdrop: Any = None) -> None:
    """Draw the background and the ink of the page on a canvas whose unit is a CSS pixel.

    `backdrop` replaces the page's own. Without it, raises BadImage when the background image cannot be drawn.
    """
    if backdrop is None:
        backdrop = backdrop_of(page, fine=canvas.getTotalMatrix().getScaleX() > 1)
    draw_background(canvas, page, backdrop)
    for shape in page.shapes:
        draw_shape(canvas, shape, backdrop)


def backdrop_of(page: DrawnPage, *, fine: bool = False, small: bool = False) -> Any:
    """The paint of what is behind the ink: the page's colour, or its background image. Raises BadImage.

    `small`: a document stores a photograph as JPEG; otherwise, two hundred of them are 760 MB in memory, twice.
    """
    paint = plain_backdrop(page.background)
    if page.image is not None:
        behind = image_behind(page, fine=fine)
        if small and (jpeg := as_jpeg(behind, page.image)) is not None:
            behind = skia.Image.MakeFromEncoded(jpeg)
        shrunk = skia.Matrix.Scale(page.width / behind.width(), page.height / behind.height())
        smooth = skia.SamplingOptions(skia.FilterMode.kLinear)
        paint.setShader(behind.makeShader(samplingOptions=smooth, localMatrix=shrunk))
    return paint


def plain_backdrop(colour: Colour) -> Any:
    """The paint of a page without a background image."""
    return skia.Paint(AntiAlias=True, Color=_argb(colour))


def image_behind(page: DrawnPage, *, fine: bool) -> Any:
    """The background image on the page's colour, in the size of the page; twice that when `fine`. Raises BadImage."""
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


def draw_shape(canvas: Any, shape: Shape, backdrop: Any, *, longest_piece: int = LONGEST_PIECE) -> None:
    """Draw one shape; an eraser paints the backdrop. A line of more points than `longest_piece` is drawn in pieces."""
    if isinstance(shape, Lines):
        erases = shape.colour is None
        pen = _pen(skia.Paint(backdrop), shape.width) if erases else _coloured_pen(shape.colour, shape.width)
        for path in _paths(shape, longest_piece):
            canvas.drawPath(path, pen)
    elif isinstance(shape, Circle):
        canvas.drawCircle(shape.x, shape.y, shape.radius, _coloured_pen(shape.colour, shape.width))
    else:
        draw_text(canvas, shape, _paint(shape.colour))


def _paths(lines: Lines, longest_piece: int) -> Iterator[Any]:
    """The contours as one path; a long line of an opaque pen as several paths, which look the same.

    The time to draw a path that crosses itself is quadratic in its points: 8.6 s for 20 000 points all over a page,
    0.7 s in pieces. The pieces of a translucent pen would be darker where they overlap.
    """
    path = skia.Path()
    for contour in lines.contours:
        if lines.closed or len(contour) <= longest_piece or (lines.colour is not None and lines.colour.alpha < 1):
            _add(path, contour)
            if lines.closed:
                path.close()
            continue
        for start in range(0, len(contour) - 1, longest_piece - 1):
            piece = skia.Path()
            _add(piece, contour[start : start + longest_piece])
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
    """The pen of this colour and width; cached, since a board has thousands of strokes with few pens."""
    return _pen(_paint(colour), width)


def _pen(paint: Any, width: float) -> Any:
    paint.setStyle(skia.Paint.kStroke_Style)
    paint.setStrokeWidth(width)
    paint.setStrokeCap(skia.Paint.kRound_Cap)
    paint.setStrokeJoin(skia.Paint.kRound_Join)
    return paint


def _argb(colour: Colour) -> int:
    return round(255 * colour.alpha) << 24 | colour.red << 16 | colour.green << 8 | colour.blue
