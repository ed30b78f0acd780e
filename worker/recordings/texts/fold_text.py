"""Fold text for search, so that interchangeable letters and spellings become equal. Pure.

Amharic writes one sound with several Ge'ez letters, and everybody chooses among them: ሀ ሐ ኀ ኸ, ሰ ሠ, አ ዐ, ጸ ፀ, in all
seven orders. In the first and the third of these families the first and the fourth order (ሀ ሃ, አ ኣ) sound alike, too.
Letters for a rounded consonant (ቈ ቍ, ኰ ኵ, ጐ ጕ, ኈ ኍ) are written as plain ones (ቆ ቁ, ኮ ኩ, ጎ ጉ, ሆ ሁ) as often.
"""  # noqa: RUF002 - letters of Ge'ez

import unicodedata

# Letters of one sound, in the order of their seven vowels; each family becomes its first line.
_FAMILIES = (
    ("ሀሁሂሃሄህሆ", "ሐሑሒሓሔሕሖ", "ኀኁኂኃኄኅኆ", "ኸኹኺኻኼኽኾ"),
    ("ሰሱሲሳሴስሶሷ", "ሠሡሢሣሤሥሦሧ"),
    ("አኡኢኣኤእኦ", "ዐዑዒዓዔዕዖ"),
    ("ጸጹጺጻጼጽጾ", "ፀፁፂፃፄፅፆ"),
    ("ኋ", "ሗ"),
    ("ቆቁኮኩጎጉሆሁ", "ቈቍኰኵጐጕኈኍ"),
    ("ሆሁ", "ዀዅ"),
)
_SAME_VOWEL = {"ሃ": "ሀ", "ኣ": "አ"}  # noqa: RUF001 - letters of Ge'ez
# Latin, Greek, Cyrillic, Hebrew, Arabic and Ethiopic letters, and symbols: the result for these is cached.
_REMEMBERED = 0x3000


def _same_sounds() -> dict[int, str]:
    folded = {}
    for first, *others in _FAMILIES:
        for letters in (first, *others):
            for letter, same in zip(letters, first, strict=True):
                folded[ord(letter)] = _SAME_VOWEL.get(same, same)
    return folded


_SAME_SOUND = _same_sounds()


def fold_text(text: str) -> str:
    """The text in lower case, without accents and punctuation, its words separated by single spaces.

    Words in Ge'ez letters that sound alike become equal.
    """
    # NFKD first: mathematical letters become plain ones, which have a lower case.
    return " ".join(unicodedata.normalize("NFKD", text).casefold().translate(_KEPT).split())


def contains(folded: str, folded_words: list[str]) -> bool:
    """Whether a folded text contains all of these words, even as parts of longer ones."""
    return all(word in folded for word in folded_words)


class _Kept(dict[int, str]):
    """The replacement of each character, for `str.translate`."""

    def __missing__(self, code: int) -> str:
        kept = _SAME_SOUND.get(code) or _kept(chr(code))
        if code < _REMEMBERED:
            self[code] = kept
        return kept


def _kept(character: str) -> str:
    """The character itself; nothing for accents (Mn, Me) and invisible ones; a space for punctuation and symbols."""
    category = unicodedata.category(character)
    if category in ("Mn", "Me", "Cf"):
        return ""
    return character if category[0] in "LNM" or category == "Sm" else " "


_KEPT = _Kept()
