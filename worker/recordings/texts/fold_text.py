"""Folds text for search: letters that people use for one another, and other spellings of the same, become equal. Pure.

Amharic writes one sound with several Ge'ez letters, and everybody chooses among them: ሀ ሐ ኀ ኸ, ሰ ሠ, አ ዐ, ጸ ፀ, in all
seven orders. In the first and the third of these families the first and the fourth order (ሀ ሃ, አ ኣ) sound alike, too.
"""  # noqa: RUF002 - letters of Ge'ez

import unicodedata

# Letters of one sound, in the order of their seven vowels; the first line of each is what the others become.
_FAMILIES = (
    ("ሀሁሂሃሄህሆ", "ሐሑሒሓሔሕሖ", "ኀኁኂኃኄኅኆ", "ኸኹኺኻኼኽኾ"),
    ("ሰሱሲሳሴስሶሷ", "ሠሡሢሣሤሥሦሧ"),
    ("አኡኢኣኤእኦ", "ዐዑዒዓዔዕዖ"),
    ("ጸጹጺጻጼጽጾ", "ፀፁፂፃፄፅፆ"),
    ("ኋ", "ሗ"),
)
_SAME_VOWEL = {"ሃ": "ሀ", "ኣ": "አ"}  # noqa: RUF001 - letters of Ge'ez
# Latin, Greek, Cyrillic, Hebrew, Arabic and Ethiopic letters, and signs: what these are is looked up once.
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

    Of words in Ge'ez letters, those that sound alike become equal.
    """
    # Mathematical letters become plain ones first, which then have a lower case.
    return " ".join(unicodedata.normalize("NFKD", text).casefold().translate(_KEPT).split())


def contains(folded: str, folded_words: list[str]) -> bool:
    """Whether a folded text contains all of these words, also as parts of longer ones."""
    return all(word in folded for word in folded_words)


class _Kept(dict[int, str]):
    """What becomes of each character, for `str.translate`."""

    def __missing__(self, code: int) -> str:
        kept = _SAME_SOUND.get(code) or _kept(chr(code))
        if code < _REMEMBERED:
            self[code] = kept
        return kept


def _kept(character: str) -> str:
    """The character; nothing for an accent (Mn, Me) and what is invisible; a space for punctuation and symbols."""
    category = unicodedata.category(character)
    if category in ("Mn", "Me", "Cf"):
        return ""
    return character if category[0] in "LNM" or category == "Sm" else " "


_KEPT = _Kept()
