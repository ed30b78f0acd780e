"""Parses the text of a stroke, as either of the two code paths of the board's client stores it, or invalid."""

import re
from collections.abc import Mapping
from typing import Any

from worker.canvases.lettering.glyphs import is_invisible, without_glyph
from worker.canvases.limits import LARGEST_FONT, LONGEST_TEXT, MAX_LINES_OF_TEXT
from worker.canvases.shapes import Colour, Text
from worker.canvases.stored.points import number_of

# The default when the stroke has no font size.
FONT_SIZE = 16.0
_SPACES = str.maketrans("\t\f", "  ")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_HALF = re.compile("[\ud800-\udfff]")
# The last two are Unicode's line separator and paragraph separator.
_LINE_END = re.compile("\r\n|[\r\n\u2028\u2029]")
_MAX_NAMED = 8


def text_of(data: Mapping[str, Any], x: float, y: float, colour: Colour, remarks: list[str]) -> Text | None:
    """The text at (x, y); None when nothing of it is visible.

    `fontFamily` is ignored: the client writes Arial only. So are subscript and superscript: the client stores them with
    their size and position already adjusted.
    """
    text = data.get("text")
    if not isinstance(text, str):
        return None
    if len(text) > LONGEST_TEXT:
        remarks.append(f"only its first {LONGEST_TEXT} characters are drawn")
    text = text[:LONGEST_TEXT]
    if _HALF.search(text):
        remarks.append("its text has halves of characters")
    lines = _LINE_END.split(text)
    if len(lines) > MAX_LINES_OF_TEXT:
        remarks.append(f"only its first {MAX_LINES_OF_TEXT} lines are drawn")
    shown = tuple(_printable(line) for line in lines[:MAX_LINES_OF_TEXT])
    missing = without_glyph("".join(shown))
    if missing:
        remarks.append(f"no typeface has {_named(missing)}")
    unseen = {" ", *missing}
    if all(letter in unseen or letter.isspace() or is_invisible(letter) for line in shown for letter in line):
        return None
    formatting = data.get("formatting")
    flags = formatting if isinstance(formatting, Mapping) else {}
    bold, italic, underline, strikethrough = (
        bool(flags.get(key)) for key in ("bold", "italic", "underline", "strikethrough")
    )
    return Text(shown, x, y, _size(data, remarks), colour, bold, italic, underline, strikethrough)


def _size(data: Mapping[str, Any], remarks: list[str]) -> float:
    value = data.get("fontSize")
    if not value:
        return FONT_SIZE
    size = number_of(value)
    if size is None or size <= 0:
        remarks.append("its fontSize is no size")
        return FONT_SIZE
    if size > LARGEST_FONT:
        remarks.append(f"its font is larger than {LARGEST_FONT:g}")
    return min(size, LARGEST_FONT)


def _printable(line: str) -> str:
    """The line as a canvas shows it: tabs as spaces, without control characters and lone surrogates."""
    return _HALF.sub("", _CONTROL.sub("", line.translate(_SPACES)))


def _named(letters: list[str]) -> str:
    names = ", ".join(f"U+{ord(letter):04X}" for letter in letters[:_MAX_NAMED])
    return names if len(letters) <= _MAX_NAMED else f"{names} and {len(letters) - _MAX_NAMED} more"
