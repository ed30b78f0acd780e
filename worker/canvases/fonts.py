"""The typefaces of boards, from packages: the same on every machine, with or without fonts of its own.

Arimo has Arial's metrics, so text is as wide as the browser's. The Noto faces have what Arimo lacks: Ethiopic first,
then the scripts, signs and symbols a lesson may need. No other face is ever used.
"""

from functools import cache
from importlib.resources import files
from typing import Any

from worker.canvases.engine import skia

FAMILIES = {
    "Arimo": ("fontpkg_arimo", "files/Arimo[wght].ttf"),
    "Noto Sans Ethiopic": ("manimgx_fonts", "NotoSansEthiopic[wght].ttf"),
    "Noto Sans": ("manimgx_fonts", "NotoSans[wght].ttf"),
    "Noto Sans Symbols": ("manimgx_fonts", "NotoSansSymbols[wght].ttf"),
    "Noto Sans Arabic": ("manimgx_fonts", "NotoSansArabic[wght].ttf"),
    "Noto Sans Hebrew": ("manimgx_fonts", "NotoSansHebrew[wght].ttf"),
    "Noto Sans Devanagari": ("manimgx_fonts", "NotoSansDevanagari[wght].ttf"),
    "Noto Emoji": ("manimgx_fonts", "NotoEmoji[wght].ttf"),
}
_ITALICS = {
    "Arimo": ("fontpkg_arimo", "files/Arimo-Italic[wght].ttf"),
    "Noto Sans": ("manimgx_fonts", "NotoSans-Italic[wght].ttf"),
}
_REGULAR, _BOLD = 400, 700
# The axis `wght` of a variable font, as OpenType packs its tag.
_WEIGHT_AXIS = int.from_bytes(b"wght")


@cache
def collection() -> Any:
    """Every face there is, under the names that `families` gives."""
    provider = skia.textlayout.TypefaceFontProvider()
    for bold in (False, True):
        weight = _BOLD if bold else _REGULAR
        for family, place in FAMILIES.items():
            provider.registerTypeface(_face(*place, weight), _alias(family, bold=bold, italic=False))
            # A family without an italic is slanted by the engine, as a browser does it.
            provider.registerTypeface(
                _face(*_ITALICS.get(family, place), weight), _alias(family, bold=bold, italic=True)
            )
    fonts = skia.textlayout.FontCollection()
    fonts.setDefaultFontManager(provider)
    return fonts


@cache
def families(*, bold: bool, italic: bool) -> list[str]:
    """The names to look a letter up in, the first that has it wins.

    Each style is a family of its own: the engine takes every instance of a variable font for a regular one, and would
    thicken a bold one by force.
    """
    return [_alias(family, bold=bold, italic=italic) for family in FAMILIES]


def _alias(family: str, *, bold: bool, italic: bool) -> str:
    return f"{family}{' Bold' if bold else ''}{' Italic' if italic else ''}"


@cache
def unicode() -> Any:
    """What the engine's text layout knows of scripts and line breaks."""
    return skia.Unicodes.ICU.Make()


def shown(text: str) -> str:
    """The text without the characters that no face has: a gap, never a box."""
    return "".join(letter for letter in text if _has_glyph(letter))


# Invisible, and the layout's to use: joiners, direction marks, variation selectors.
_UNSEEN = frozenset("\u200b\u200c\u200d\u200e\u200f\u2060\ufe0e\ufe0f")


@cache
def _has_glyph(letter: str) -> bool:
    return letter in _UNSEEN or any(face.unicharToGlyph(ord(letter)) for face in _regular_faces())


@cache
def _regular_faces() -> list[Any]:
    return [_face(package, name, _REGULAR) for package, name in FAMILIES.values()]


@cache
def _face(package: str, name: str, weight: int) -> Any:
    face = skia.Typeface.MakeFromFile(str(files(package) / name))
    place = skia.FontArguments.VariationPosition
    arguments = skia.FontArguments()
    # Kept by name until the clone is made: the engine only points to it.
    position = place(place.Coordinates([place.Coordinate(_WEIGHT_AXIS, weight)]))
    arguments.setVariationDesignPosition(position)
    return face.makeClone(arguments)
