"""The typefaces of boards, from packages: the same on every machine, with or without fonts of its own.

Arimo has Arial's metrics, so text is as wide as the browser's. The others have what Arimo lacks, asked in the order of
`FAMILIES`: Ethiopic first, then the scripts, signs and symbols a lesson may need (docs/decisions/0007). No other face
is ever used.
"""

from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, NamedTuple

from worker.canvases.engine import skia


class FontFile(NamedTuple):
    """A file of an installed package, and which face of it when it is a collection."""

    package: str
    name: str
    face: int = 0


def _noto(name: str) -> FontFile:
    return FontFile("manimgx-fonts", f"manimgx_fonts/Noto{name}[wght].ttf")


# Scripts that the user interface of no client writes in, but a lesson may show a word of.
_SCRIPTS = (
    "Armenian Bengali Georgian Gujarati Gurmukhi Kannada Khmer Lao Malayalam Myanmar Oriya Sinhala Tamil Telugu Thai"
)
EMOJI = "Noto Emoji"
FAMILIES = {
    "Arimo": FontFile("fontpkg-arimo", "fontpkg_arimo/files/Arimo[wght].ttf"),
    "Noto Sans Ethiopic": _noto("SansEthiopic"),
    "Noto Sans": _noto("Sans"),
    "Noto Sans Symbols": _noto("SansSymbols"),
    "Noto Sans Arabic": _noto("SansArabic"),
    "Noto Sans Hebrew": _noto("SansHebrew"),
    "Noto Sans Devanagari": _noto("SansDevanagari"),
    # Operators, relations, arrows and geometry without serifs; then all of Unicode's mathematics.
    "DejaVu Sans": FontFile("ziafont", "ziafont/fonts/DejaVuSans.ttf"),
    "STIX Two Math": FontFile("ziamath", "ziamath/fonts/STIXTwoMath-Regular.ttf"),
    EMOJI: _noto("Emoji"),
    **{f"Noto Sans {script}": _noto(f"Sans{script}") for script in _SCRIPTS.split()},
    # The third face of the collection writes Han as China does; kana and hangul are the same in all of them.
    "Noto Sans CJK SC": FontFile("manimgx-fonts-cjk", "manimgx_fonts_cjk/NotoSansCJK-VF.otf.ttc", 2),
}
ITALICS = {
    "Arimo": FontFile("fontpkg-arimo", "fontpkg_arimo/files/Arimo-Italic[wght].ttf"),
    "Noto Sans": _noto("Sans-Italic"),
}
_REGULAR, _BOLD = 400, 700
# The axis `wght` of a variable font, as OpenType packs its tag.
_WEIGHT_AXIS = int.from_bytes(b"wght")


@cache
def collection() -> Any:
    """Every face in regular and bold, upright and italic where it has one, for the engine to choose from by style."""
    provider = skia.textlayout.TypefaceFontProvider()
    for table in (FAMILIES, ITALICS):
        for family, file in table.items():
            for weight in (_REGULAR, _BOLD):
                provider.registerTypeface(_face(file, weight), family)
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


def has_glyph(family: str, letter: str) -> bool:
    """Whether the family has a shape of its own for this character. Raises EngineMissing."""
    return bool(_face(FAMILIES[family], _REGULAR).unicharToGlyph(ord(letter)))


def font_path(file: FontFile) -> Path:
    """Where the file is installed; its package is not imported."""
    return Path(str(distribution(file.package).locate_file(file.name)))


@cache
def _face(file: FontFile, weight: int) -> Any:
    face = _files().makeFromFile(str(font_path(file)), file.face)
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
