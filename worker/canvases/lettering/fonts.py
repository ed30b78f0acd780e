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
ITALICS = {
    "Arimo": ("fontpkg_arimo", "files/Arimo-Italic[wght].ttf"),
    "Noto Sans": ("manimgx_fonts", "NotoSans-Italic[wght].ttf"),
}
_REGULAR, _BOLD = 400, 700
# The axis `wght` of a variable font, as OpenType packs its tag.
_WEIGHT_AXIS = int.from_bytes(b"wght")


@cache
def collection() -> Any:
    """Every face in regular and bold, upright and italic where it has one, for the engine to choose from by style."""
    provider = skia.textlayout.TypefaceFontProvider()
    for table in (FAMILIES, ITALICS):
        for family, place in table.items():
            for weight in (_REGULAR, _BOLD):
                provider.registerTypeface(_face(*place, weight), family)
    fonts = skia.textlayout.FontCollection()
    fonts.setDefaultFontManager(provider)
    return fonts


@cache
def font_style(*, bold: bool, italic: bool) -> Any:
    """The style to choose a face by. A family without an italic is slanted by the engine, as a browser does it."""
    slant = skia.FontStyle.kItalic_Slant if italic else skia.FontStyle.kUpright_Slant
    return skia.FontStyle(_BOLD if bold else _REGULAR, skia.FontStyle.kNormal_Width, slant)


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
    face = _files().makeFromFile(str(files(package) / name))
    axes = skia.FontArguments.VariationPosition
    # Kept by a name until the clone is made: the engine only points to them.
    coordinates = axes.Coordinates([axes.Coordinate(_WEIGHT_AXIS, weight)])
    position = axes(coordinates)
    arguments = skia.FontArguments()
    arguments.setVariationDesignPosition(position)
    return face.makeClone(arguments)


@cache
def _files() -> Any:
    """Reads font files and knows no others: the engine's usual manager would ask the machine for its fonts."""
    return skia.FontMgr.New_Custom_Empty()
