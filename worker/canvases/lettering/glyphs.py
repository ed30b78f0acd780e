"""Selects the font of each character of a line. Only characters that no font has are dropped, and those are reported.

A letter with its marks, or the parts of an emoji, use one font when any font has them all: a font can only place its
own marks on its own letters.
"""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby

from worker.canvases.lettering.fonts import EMOJI, FAMILIES, has_glyph

# Unicode's Default_Ignorable_Code_Point (DerivedCoreProperties.txt, 16): joiners, direction marks, variation selectors.
# They have no glyph, but text layout uses them.
_INVISIBLE = (
    (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
_JOINER, _EMOJI_SELECTOR = "\u200d", "\ufe0f"
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_FIRST_FAMILY = next(iter(FAMILIES))
# Clusters whose font is cached: more different ones than any lesson has.
_REMEMBERED = 1 << 14


def is_invisible(letter: str) -> bool:
    """Whether the character is invisible by Unicode's rules, even if a font has a glyph for it."""
    point = ord(letter)
    return point >= _INVISIBLE[0][0] and any(first <= point <= last for first, last in _INVISIBLE)


def clusters(text: str) -> Iterator[str]:
    """The text in clusters that need one font: a letter with its marks, an emoji with all that is joined to it."""
    cluster = ""
    for letter in text:
        if cluster and not (_extends(letter) or cluster[-1] == _JOINER):
            yield cluster
            cluster = ""
        cluster += letter
    if cluster:
        yield cluster


def runs(text: str) -> Iterator[tuple[str, str]]:
    """Family and characters of each run of one font, in order. Raises EngineMissing.

    Characters that no font has are left out: a gap, never a box.
    """
    if text.isascii():  # most boards
        if text:
            yield _FIRST_FAMILY, text
        return
    pieces = (piece for cluster in clusters(text) for piece in _pieces(cluster))
    for family, group in groupby(pieces, key=lambda piece: piece[0]):
        if family:
            yield family, "".join(letters for _family, letters in group)


def without_glyph(text: str) -> list[str]:
    """The characters that no font has, each once, in their order. Raises EngineMissing."""
    if text.isascii():
        return []
    return [letter for letter in dict.fromkeys(text) if _family_of(letter) is None]


def _pieces(cluster: str) -> list[tuple[str | None, str]]:
    family = _family_of(cluster)
    if family or len(cluster) == 1:
        return [(family, cluster)]
    # No font has all of it: each character uses the first font that has it.
    return [(_family_of(letter), letter) for letter in cluster]


@lru_cache(_REMEMBERED)
def _family_of(cluster: str) -> str | None:
    """The first family that has every visible character of the cluster."""
    visible = [letter for letter in cluster if not is_invisible(letter)]
    # The glyph of a private-use character depends on the font the text was written for, which is unknown.
    if any(unicodedata.category(letter) == "Co" for letter in visible):
        return None
    # Unicode Technical Standard 51: the selector requests the emoji when a character has both presentations.
    families = [EMOJI, *FAMILIES] if _EMOJI_SELECTOR in cluster else FAMILIES
    return next((family for family in families if all(has_glyph(family, letter) for letter in visible)), None)


def _extends(letter: str) -> bool:
    return unicodedata.category(letter).startswith("M") or is_invisible(letter) or ord(letter) in _SKIN_TONES
