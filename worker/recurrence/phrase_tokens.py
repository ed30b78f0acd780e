"""The tokens of a phrase such as "every other Friday until 31 January 2027"."""

import re
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum, auto
from typing import Final

from worker.errors import InvalidInput
from worker.recurrence.names import MONTHS_OF, WEEKDAYS, did_you_mean, month_named, weekday_named

UNDERSTOOD: Final = (
    'Understood are, for example: "every Monday, Wednesday", "weekdays", "every 2 weeks on Tuesday", '
    '"every other Friday", "monthly on the 15th", "monthly on the last Friday", '
    'with "until 2027-01-31", "for 10 weeks" or "for 10 times".'
)


class TokenKind(Enum):
    """The kinds of token."""

    WEEKDAY = auto()
    MONTH = auto()
    ETHIOPIAN_MONTH = auto()
    DATE = auto()
    NUMBER = auto()  # 2, two
    ORDINAL = auto()  # 2nd, second, last
    UNIT = auto()  # week
    FREQUENCY = auto()  # weekly
    DAYS = auto()  # weekdays
    WORD = auto()  # every, on, until


@dataclass(frozen=True)
class Token:
    """One word as it was written, and its value; which fields are set depends on the kind.

    `number` is also a weekday (Monday 0), a month, the last (-1), or the interval of a frequency.
    """

    text: str
    kind: TokenKind
    number: int = 1
    freq: str = ""
    days: tuple[int, ...] = ()
    day: date = date.min
    said: str = ""


_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_ORDINALS = ("first", "second", "third", "fourth", "fifth")
_UNITS = {"day": "DAILY", "week": "WEEKLY", "month": "MONTHLY", "year": "YEARLY"}
_FREQUENCIES = {
    "daily": ("DAILY", 1),
    "weekly": ("WEEKLY", 1),
    "biweekly": ("WEEKLY", 2),
    "fortnightly": ("WEEKLY", 2),
    "monthly": ("MONTHLY", 1),
    "quarterly": ("MONTHLY", 3),
    "yearly": ("YEARLY", 1),
    "annually": ("YEARLY", 1),
}
_SAME = {
    **dict.fromkeys(("&", "+", ",", ";", "/"), "and"),
    **dict.fromkeys(("-", "\N{EN DASH}", "through", "thru"), "to"),
    **dict.fromkeys(("x", "time", "lesson", "lessons", "session", "sessions", "occurrence", "occurrences"), "times"),
    **dict.fromkeys(("a", "an"), "1"),
    "each": "every",
    "during": "in",
    "till": "until",
}
_WORDS = ("every", "other", "on", "the", "of", "in", "and", "to", "from", "until", "for", "next", "times")
_SPELLED = {
    **{name: Token(name, TokenKind.NUMBER, number) for number, name in enumerate(_NUMBERS, 1)},
    **{name: Token(name, TokenKind.ORDINAL, number) for number, name in enumerate(_ORDINALS, 1)},
    **{name: Token(name, TokenKind.UNIT, freq=freq) for name, freq in _UNITS.items()},
    **{f"{name}s": Token(name, TokenKind.UNIT, freq=freq) for name, freq in _UNITS.items()},
    **{name: Token(name, TokenKind.FREQUENCY, number, freq) for name, (freq, number) in _FREQUENCIES.items()},
    **{name: Token(name, TokenKind.WORD, said=name) for name in _WORDS},
    **dict.fromkeys(("weekday", "weekdays"), Token("weekdays", TokenKind.DAYS, days=(0, 1, 2, 3, 4))),
    **dict.fromkeys(("weekend", "weekends"), Token("weekends", TokenKind.DAYS, days=(5, 6))),
    "last": Token("last", TokenKind.ORDINAL, -1),
}
# What people say that has a place of its own.
_ELSEWHERE = {
    **dict.fromkeys(
        ("at", "am", "pm", "hourly", "hour", "hours", "minutes"), "the time of day is start_time and end_time"
    ),
    **dict.fromkeys(("except", "excluding", "but", "not", "without"), "days to leave out are exdates"),
    **dict.fromkeys(("starting", "beginning", "since"), "the day it begins is schedule_date"),
}
_TOKEN = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}:[0-9]{2}|[0-9]+(?:st|nd|rd|th)?|[^\W\d_]+|\S", re.IGNORECASE
)
_NUMBERED = re.compile(r"([0-9]{1,4})(st|nd|rd|th)?")


def tokenize(text: str) -> list[Token]:
    """The tokens of a phrase. Raises InvalidInput for the first unknown word."""
    prepared = text.replace(".", " ").replace("bi-weekly", "biweekly")
    return [_read(each) for each in _TOKEN.findall(prepared)]


def _read(text: str) -> Token:
    word = text.casefold()
    word = _SAME.get(word, word)
    if word in _SPELLED:
        return replace(_SPELLED[word], text=text)
    for kind, number in (
        (TokenKind.WEEKDAY, weekday_named(word)),
        (TokenKind.MONTH, month_named(word)),
        (TokenKind.ETHIOPIAN_MONTH, month_named(word, "ETHIOPIC")),
    ):
        if number is not None:
            return Token(text, kind, number)
    if "-" in word:
        return Token(text, TokenKind.DATE, day=_date(text))
    if numbered := _NUMBERED.fullmatch(word):
        return Token(text, TokenKind.ORDINAL if numbered[2] else TokenKind.NUMBER, int(numbered[1]))
    raise _unknown(text, word)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"There is no day {text}.") from error


def _unknown(text: str, word: str) -> InvalidInput:
    if word in _ELSEWHERE or ":" in word:
        place = _ELSEWHERE.get(word, _ELSEWHERE["at"])
        return InvalidInput(f"“{text}” has no place in the pattern: {place}.")
    known = (*WEEKDAYS, *MONTHS_OF["GREGORIAN"], *MONTHS_OF["ETHIOPIC"], *_SPELLED)
    shown = text if len(text) <= 40 else f"{text[:40]}…"
    return InvalidInput(f"“{shown}” was not understood{did_you_mean(word, known) or '.'} {UNDERSTOOD}")
