"""Text on a canvas: shaped as a browser shapes it, placed by its alphabetic baseline."""

from typing import Any

from worker.canvases.engine import skia
from worker.canvases.figures import LINE_HEIGHT, Text
from worker.canvases.fonts import FAMILIES, collection, font_style, shown, unicode

# Where the platform's redraw puts its one-pixel lines, from the baseline.
_UNDERLINE = 2.0
_STRIKETHROUGH = -0.3  # font sizes
# One line never wraps.
_ENDLESS = 1e6


def draw_text(canvas: Any, text: Text, ink: Any) -> None:
    """Draw the lines with the paint `ink`, underlined and struck through as they ask."""
    rule = skia.Paint(ink)
    rule.setStyle(skia.Paint.kStroke_Style)
    rule.setStrokeWidth(1)
    for number, line in enumerate(text.lines):
        baseline = text.y + number * LINE_HEIGHT * text.size
        paragraph = _set(shown(line), text, ink)
        paragraph.paint(canvas, text.x, baseline - paragraph.AlphabeticBaseline)
        end = text.x + paragraph.LongestLine
        for wanted, y in (
            (text.underline, baseline + _UNDERLINE),
            (text.strikethrough, baseline + _STRIKETHROUGH * text.size),
        ):
            if wanted and end > text.x:
                canvas.drawLine(text.x, y, end, y, rule)


def _set(line: str, text: Text, ink: Any) -> Any:
    style = skia.textlayout.TextStyle()
    style.setFontFamilies(list(FAMILIES))
    style.setFontSize(text.size)
    style.setFontStyle(font_style(bold=text.bold, italic=text.italic))
    style.setForegroundPaint(ink)
    builder = skia.textlayout.ParagraphBuilder.make(skia.textlayout.ParagraphStyle(), collection(), unicode())
    builder.pushStyle(style)
    builder.addText(line)
    paragraph = builder.Build()
    paragraph.layout(_ENDLESS)
    return paragraph
