"""The fonts of boards, from Python packages: the same on every machine, whatever fonts it has installed.

Arimo has Arial's metrics, so text is as wide as in the browser. The others are fallbacks for what Arimo lacks, in the
order of `FAMILIES`: Ethiopic first, then the scripts and symbols a lesson may need (docs/decisions/0007). No other font
is ever used.
"""

from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, NamedTuple

from worker.canvases.engine import skia


class FontFile(NamedTuple):
    """A font file of an installed package, and the index of the face when it is a collection."""

    package: str
    name: str
    face: int = 0


def _noto(name: str) -> FontFile:
    return FontFile("manimgx-fonts", f"manimgx_fonts/Noto{name}[wght].ttf")


# Scripts that no client's user interface is written in, but that a lesson may contain words of.
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
    # The third face of the collection has the Chinese forms of Han; kana and hangul are the same in all of them.
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
    """Every font in regular and bold, upright and, where it exists, italic; the engine selects from it by style."""
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
    """The style to select a font by. The engine slants a family that has no italic, as browsers do."""
    slant = skia.FontStyle.kItalic_Slant if italic else skia.FontStyle.kUpright_Slant
    return skia.FontStyle(_BOLD if bold else _REGULAR, skia.FontStyle.kNormal_Width, slant)


@cache
def unicode() -> Any:
    """The Unicode data that the engine's text layout uses for scripts and line breaks."""
    return skia.Unicodes.ICU.Make()


def has_glyph(family: str, letter: str) -> bool:
    """Whether the family has a glyph for this character. Raises EngineMissing."""
    return bool(_face(FAMILIES[family], _REGULAR).unicharToGlyph(ord(letter)))


def font_path(file: FontFile) -> Path:
    """The path of the installed file; its package is not imported."""
    return Path(str(distribution(file.package).locate_file(file.name)))


def missing_fonts() -> list[str]:
    """The packages and names of font files that are not installed."""
    return [f"{file.package} {file.name}" for file in (*FAMILIES.values(), *ITALICS.values()) if not _is_there(file)]


def _is_there(file: FontFile) -> bool:
    try:
        return font_path(file).is_file()
    except PackageNotFoundError:
        return False


@cache
def _face(file: FontFile, weight: int) -> Any:
    face = _files().makeFromFile(str(font_path(file)), file.face)
    axes = skia.FontArguments.VariationPosition
    # Held by a variable until the clone is made: the engine only keeps a pointer to them.
    coordinates = axes.Coordinates([axes.Coordinate(_WEIGHT_AXIS, weight)])
    position = axes(coordinates)
    arguments = skia.FontArguments()
    arguments.setVariationDesignPosition(position)
    return face.makeClone(arguments)


@cache
def _files() -> Any:
    """A font manager that only reads given files: the engine's default one would use the machine's fonts."""
    return skia.FontMgr.New_Custom_Empty()
