"""Parse the number of lessons a week from free text such as `3 times per week`."""

import re

_WORDS = {
    "once": 1,
    "twice": 2,
    "thrice": 3,
    **{word: number for number, word in enumerate("one two three four five six seven".split(), 1)},  # noqa: SIM905 - reads better
}
_COUNT = rf"(?P<count>\d{{1,2}}|{'|'.join(_WORDS)})"
_TIMES = r"(?:x|times?|days?|lessons?|sessions?|classes|class)?"
_A_WEEK = r"(?:(?:per|a|an|each|every|in a|/)\s*week|weekly)"
_READABLE = re.compile(rf"{_COUNT}\s*{_TIMES}\s*{_A_WEEK}", re.ASCII)
_PLAIN = {
    "weekly": 1,
    "every week": 1,
    "each week": 1,
    "per week": 1,
    "daily": 7,
    "every day": 7,
    "each day": 7,
    "every weekday": 5,
    "weekdays": 5,
}
_MOST = 7 * 24


def sessions_per_week(words: str) -> int | None:
    """The number in `words`; None when there is none, or when no week can have that many lessons."""
    plain = " ".join(words.casefold().split()).strip(" .")
    if plain in _PLAIN:
        return _PLAIN[plain]
    match = _READABLE.fullmatch(plain)
    if match is None:
        return None
    count = match["count"]
    number = _WORDS[count] if count in _WORDS else int(count)
    return number if 1 <= number <= _MOST else None
