"""Weekdays and months by name, and suggestions for a word that is neither."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final

from worker.calendars.ethiopian import MONTH_NAMES as ETHIOPIAN_MONTHS

WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
MONTHS_OF: Final = {"GREGORIAN": MONTHS, "ETHIOPIC": ETHIOPIAN_MONTHS}
# Longer words are not compared with the known ones.
_LONGEST_WORD = 24


def _spellings(names: Iterable[str], first: int, *further: tuple[str, int]) -> Mapping[str, int]:
    """Map names to numbers, in lower case: in full, abbreviated to three letters, and other spellings."""
    numbered = [(name.casefold(), number) for number, name in enumerate(names, first)]
    return MappingProxyType(dict(further) | {name[:3]: number for name, number in numbered} | dict(numbered))


WEEKDAY_OF: Final = _spellings(WEEKDAYS, 0, ("tues", 1), ("weds", 2), ("thur", 3), ("thurs", 3))
MONTH_OF: Final = _spellings(MONTHS, 1, ("sept", 9))
# Only complete names: three letters would be ambiguous between two calendars.
ETHIOPIAN_MONTH_OF: Final = MappingProxyType(
    {name.casefold(): number for number, name in enumerate(ETHIOPIAN_MONTHS, 1)}
)


def weekday_named(word: str) -> int | None:
    """0 for "Monday", "mondays" or "Mon."; None when it is not a weekday."""
    word = word.casefold().rstrip(".")
    return WEEKDAY_OF.get(word, WEEKDAY_OF.get(word.removesuffix("s")))


def month_named(word: str, rscale: str = "GREGORIAN") -> int | None:
    """1 for "January", "jan" or "Jan."; None when it is not a month of the calendar."""
    spellings = MONTH_OF if rscale == "GREGORIAN" else ETHIOPIAN_MONTH_OF
    return spellings.get(word.casefold().rstrip("."))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """ "; did you mean “Monday”?" when a word in `known` is similar, else nothing."""
    if len(word) > _LONGEST_WORD:
        return ""
    spelled = {each.casefold(): each for each in known}
    near = get_close_matches(word.casefold(), spelled, n=1, cutoff=0.7)
    return f"; did you mean “{spelled[near[0]]}”?" if near else ""


def listed(words: Iterable[str]) -> str:
    """ "Monday, Wednesday and Friday"."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def nth(number: int) -> str:
    """1st, 22nd, 13th."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


# More dates than this are described by their number, the first and the last.
_MAX_LISTED = 5


def day_text(day: date) -> str:
    """31 January 2027."""
    return f"{day.day} {day:%B} {day.year}"


def days_text(days: Sequence[date]) -> str:
    """5 January 2026 and 7 January 2026; of many only the first and last."""
    if len(days) <= _MAX_LISTED:
        return listed(day_text(day) for day in days)
    return f"{len(days)} days from {day_text(days[0])} to {day_text(days[-1])}"


def clock(moment: time) -> str:
    """14:00."""
    return f"{moment:%H:%M}"
