"""The tokens of a phrase such as "every other Friday until 31 January 2027", each in one normalised spelling."""

import re
from typing import Final

from worker.errors import InvalidInput
from worker.recurrence.names import MONTHS_OF, WEEKDAYS, did_you_mean, month_named, weekday_named

UNDERSTOOD: Final = (
    'Understood are, for example: "every Monday, Wednesday", "weekdays", "every 2 weeks on Tuesday", '
    '"every other Friday", "monthly on the 15th", "monthly on the last Friday", '
    'with "until 2027-01-31", "for 10 weeks" or "for 10 times"; anything else as an RRULE of RFC 5545.'
)

_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_ORDINALS = ("first", "second", "third", "fourth", "fifth")
_TIMES = ("times", "time", "x", "lesson", "lessons", "session", "sessions")
# The token for each word; "" for a word that changes nothing.
_TOKEN_OF: Final = {
    **dict.fromkeys(("and", "on", "the", "of", "from", "next", "&", "+", ",", ";", "/"), ""),
    **dict.fromkeys(("every", "each"), "every"),
    **dict.fromkeys(("to", "through", "-", "\N{EN DASH}"), "to"),
    **dict.fromkeys(("until", "till"), "until"),
    "for": "for",
    **dict.fromkeys(_TIMES, "times"),
    **{name: f"n{number}" for number, name in enumerate(_NUMBERS, 1)},
    **{name: f"o{number}" for number, name in enumerate(_ORDINALS, 1)},
    "a": "n1",
    "other": "n2",
    "last": "o-1",
    **{f"{unit}{plural}": unit for unit in ("day", "week", "month", "year") for plural in ("", "s")},
    "daily": "every day",
    "weekly": "every week",
    "monthly": "every month",
    **dict.fromkeys(("biweekly", "fortnightly"), "every n2 week"),
    **dict.fromkeys(("weekday", "weekdays"), "d0 d1 d2 d3 d4"),
    **dict.fromkeys(("weekend", "weekends"), "d5 d6"),
}
# Words for what another field of the request says.
_ELSEWHERE: Final = {
    **dict.fromkeys(("at", "am", "pm", "hourly", "hour", "hours"), "the time of day is start_time and end_time"),
    **dict.fromkeys(("except", "excluding", "but", "not", "without"), "days to leave out are exdates"),
    **dict.fromkeys(("starting", "beginning", "since"), "the day it begins is schedule_date"),
    **dict.fromkeys(("in", "during"), "months are the field months, or BYMONTH of an RRULE"),
    **dict.fromkeys(("yearly", "annually"), "once a year is an RRULE with FREQ=YEARLY"),
}
_WORD = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2}:\d\d|\d+(?:st|nd|rd|th)?|[^\W\d_]+|\S", re.ASCII | re.IGNORECASE)
_NUMBER = re.compile(r"(\d{1,4})(st|nd|rd|th)?", re.ASCII)
# "second last" and "second to last" count from the end; "second and last", two blanks apart, are two places.
_FROM_END = re.compile(r"\bo([2-5]) (?:to +)*o-1\b")
_LONGEST_SHOWN = 40


def tokenize(text: str) -> str:
    """The tokens of a phrase, separated by spaces: d0 Monday, n2 two, o2 second, m1 January, e1 Meskerem, or a word.

    Places counted from the end are negative: o-1 last, o-2 second to last.
    Raises InvalidInput for the first unknown word.
    """
    words = _WORD.findall(text.replace(".", " ").replace("bi-weekly", "biweekly"))
    tokens = _FROM_END.sub(r"o-\1", " ".join(map(_token, words)))
    return " ".join(tokens.split())


def shown(text: str) -> str:
    """A part of a phrase for a message, in quotes and cut to 40 characters."""
    return f"“{text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + '…'}”"


def _token(text: str) -> str:
    word = text.casefold()
    if word in _TOKEN_OF:
        return _TOKEN_OF[word]
    names = (("d", weekday_named(word)), ("m", month_named(word)), ("e", month_named(word, "ETHIOPIC")))
    for letter, number in names:
        if number is not None:
            return f"{letter}{number}"
    if numbered := _NUMBER.fullmatch(word):
        return f"{'o' if numbered[2] else 'n'}{int(numbered[1])}"
    if "-" in word:
        return word
    raise _unknown(text, word)


def _unknown(text: str, word: str) -> InvalidInput:
    if word in _ELSEWHERE or ":" in word:
        return InvalidInput(f"“{text}” has no place in the pattern: {_ELSEWHERE.get(word, _ELSEWHERE['at'])}.")
    known = (*WEEKDAYS, *MONTHS_OF["GREGORIAN"], *MONTHS_OF["ETHIOPIC"], *_TOKEN_OF)
    return InvalidInput(f"{shown(text)} was not understood{did_you_mean(word, known) or '.'} {UNDERSTOOD}")
