"""The bounding boxes of text. Lengths are CSS pixels of the board."""

import unicodedata
from functools import lru_cache
from itertools import groupby

from worker.canvases.lettering.text import width_of
from worker.canvases.limits import PAGE_WIDTH
from worker.canvases.shapes import LINE_HEIGHT, Text

# In font sizes, the maximum over all fonts: the width of an ASCII letter; the height of capitals above the baseline,
# and the depth of descenders below it; how far a slanted or bold letter extends beyond its own width.
_WIDEST_ASCII = 1.2
_CAPITAL, _TAIL, _OVERHANG = 0.72, 0.2, 0.25
# The same for any ink: of ASCII, and of any character (a brace of three lines, a circle around the letter before it).
_ASCII_RISE, _ASCII_LEAN = 1.5, 0.5
_RISE, _SINK, _LEAN = 2.0, 0.8, 1.3
# The height that each stacked combining mark adds.
_MARK = 0.5


def body_of(text: Text) -> tuple[float, float, float, float, float]:
    """Left, top, right, bottom of the letters in their usual shape, and how far ink may extend beyond that."""
    marks = _MARK * max(0, _marks(text) - 1)
    return (
        text.x,
        text.y - _CAPITAL * text.size,
        text.x + _width(text),
        text.y + (_below(text) + _TAIL) * text.size,
        (_OVERHANG + marks) * text.size,
    )


def ink_of(text: Text) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of a box that certainly contains all ink."""
    plain = _is_plain(text)
    marks = 0.0 if plain else _MARK * _marks(text)
    lean = _ASCII_LEAN if plain else _LEAN
    return (
        text.x - lean * text.size,
        text.y - ((_ASCII_RISE if plain else _RISE) + marks) * text.size,
        text.x + _width(text) + lean * text.size,
        text.y + (_below(text) + _SINK + marks) * text.size,
    )


@lru_cache(512)
def _width(text: Text) -> float:
    """The maximum width; measured only when it may matter, since the fonts need the engine."""
    most = max(map(len, text.lines)) * _WIDEST_ASCII * text.size
    if _is_plain(text) and text.x + most <= PAGE_WIDTH:
        return most
    return max(width_of(line, text) for line in text.lines)


def _is_plain(text: Text) -> bool:
    return all(map(str.isascii, text.lines))


def _below(text: Text) -> float:
    """The distance from the first baseline to the last, in font sizes."""
    return (len(text.lines) - 1) * LINE_HEIGHT


def _marks(text: Text) -> int:
    """The largest number of combining marks on one letter."""
    return max(
        (
            len(list(row))
            for line in text.lines
            if not line.isascii()
            for is_mark, row in groupby(line, key=_is_mark)
            if is_mark
        ),
        default=0,
    )


def _is_mark(letter: str) -> bool:
    return unicodedata.category(letter).startswith("M")
