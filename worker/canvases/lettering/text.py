"""Draws text on a canvas: shaped as in a browser, positioned by its alphabetic baseline."""

import math
import re
from typing import Any

from worker.canvases.engine import skia
from worker.canvases.lettering.contrast import LARGEST_MASK, text_contrast
from worker.canvases.lettering.fonts import collection, font_style, unicode
from worker.canvases.lettering.glyphs import runs
from worker.canvases.shapes import LINE_HEIGHT, Text

# Offsets of the platform's one-pixel lines from the baseline.
_UNDERLINE = 2.0
_STRIKETHROUGH = -0.3  # font sizes
# A layout width at which no line wraps.
_ENDLESS = 1e6
_WORDS = re.compile(" +|[^ ]+")


def draw_text(canvas: Any, text: Text, ink: Any) -> None:
    """Draw the lines with the paint `ink`, underlined and struck through as the text says."""
    rule = skia.Paint(ink)
    rule.setStyle(skia.Paint.kStroke_Style)
    rule.setStrokeWidth(1)
    letters = skia.Paint(ink)
    if _has_pixels(canvas) and text.size * canvas.getTotalMatrix().getScaleY() <= LARGEST_MASK:
        letters.setMaskFilter(text_contrast(text.colour))
    for number, line in enumerate(text.lines):
        baseline = text.y + number * LINE_HEIGHT * text.size
        paragraph = _set(line, text, letters)
        # The engine rounds the baseline of a paragraph to a whole unit.
        paragraph.paint(canvas, text.x, baseline - math.floor(paragraph.AlphabeticBaseline + 0.5))
        end = text.x + _width(paragraph)
        for is_ruled, y in (
            (text.underline, baseline + _UNDERLINE),
            (text.strikethrough, baseline + _STRIKETHROUGH * text.size),
        ):
            if is_ruled and end > text.x:
                canvas.drawLine(text.x, y, end, y, rule)


def width_of(line: str, text: Text) -> float:
    """The width of one line of the text. Raises EngineMissing."""
    return _width(_set(line, text, skia.Paint()))


def _width(paragraph: Any) -> float:
    """The width as a canvas measures it, trailing spaces included."""
    return float(paragraph.MaxIntrinsicWidth)


def _has_pixels(canvas: Any) -> bool:
    """Whether the canvas is a raster image. With a mask filter, letters in a document would no longer be text."""
    return bool(canvas.imageInfo().colorType() != skia.kUnknown_ColorType)


def _set(line: str, text: Text, ink: Any) -> Any:
    """The line as a shaped paragraph.

    A browser's canvas shapes word by word, so that letters are never kerned with spaces. A paragraph starts a new run
    where the style changes, and the language is part of the style.
    """
    builder = skia.textlayout.ParagraphBuilder.make(skia.textlayout.ParagraphStyle(), collection(), unicode())
    space_ink = _space_ink(ink)
    for word in _WORDS.findall(line):
        letter_ink, language = (space_ink, "en") if word[0] == " " else (ink, "")
        for family, letters in runs(word):
            builder.pushStyle(_style(text, letter_ink, family, language))
            builder.addText(letters)
            builder.pop()
    paragraph = builder.Build()
    paragraph.layout(_ENDLESS)
    return paragraph


def _space_ink(ink: Any) -> Any:
    """The paint for spaces, with an outline: the engine omits spaces without ink, which joins the words of a PDF."""
    outlined = skia.Paint(ink)
    outlined.setStyle(skia.Paint.kStrokeAndFill_Style)
    outlined.setStrokeWidth(0.01)
    return outlined


def _style(text: Text, ink: Any, family: str, language: str) -> Any:
    style = skia.textlayout.TextStyle()
    style.setFontFamilies([family])
    style.setFontSize(text.size)
    style.setFontStyle(font_style(bold=text.bold, italic=text.italic))
    style.setForegroundPaint(ink)
    style.setLocale(language)
    return style
