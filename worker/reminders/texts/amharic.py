"""Amharic words that depend on numbers, dates and names. Names of months and days as in CLDR (locale am)."""

from collections.abc import Sequence
from datetime import date, datetime, time

from worker.calendars.ethiopian import spoken_clock, to_ethiopian
from worker.reminders.texts.recipient import CalendarStyle
from worker.reminders.texts.spans import Span

_WEEKDAYS = ("ሰኞ", "ማክሰኞ", "ረቡዕ", "ሐሙስ", "ዓርብ", "ቅዳሜ", "እሑድ")
_MONTHS = (
    "ጃንዩወሪ", "ፌብሩወሪ", "ማርች", "ኤፕሪል", "ሜይ", "ጁን", "ጁላይ", "ኦገስት", "ሴፕቴምበር", "ኦክቶበር", "ኖቬምበር", "ዲሴምበር",
)  # fmt: skip
_ETHIOPIAN_MONTHS = (
    "መስከረም", "ጥቅምት", "ኅዳር", "ታኅሣሥ", "ጥር", "የካቲት", "መጋቢት", "ሚያዝያ", "ግንቦት", "ሰኔ", "ሐምሌ", "ነሐሴ", "ጳጉሜን",
)  # fmt: skip
_PARTS = {"night": "ከሌሊቱ", "morning": "ከጠዋቱ", "afternoon": "ከሰዓት በኋላ", "evening": "ከምሽቱ"}
_UNITS = ("ቀን", "ሰዓት", "ደቂቃ")
_PLACES = {"Addis Ababa": "አዲስ አበባ"}


def moment(local: datetime, calendar: CalendarStyle) -> str:
    """Like "ማክሰኞ፣ ሰኔ 9 ቀን 2018 ዓ.ም.፣ ከሰዓት በኋላ 8:00 ሰዓት (14:00)"."""
    return f"{day(local.date(), calendar)}፣ {clock(local.time(), calendar)}"


def day(local: date, calendar: CalendarStyle) -> str:
    """Like "ማክሰኞ፣ ጁን 16 ቀን 2026 (እ.ኤ.አ.)", or "ማክሰኞ፣ ሰኔ 9 ቀን 2018 ዓ.ም.": the year always names its calendar."""
    weekday = _WEEKDAYS[local.weekday()]
    if calendar == "ethiopian":
        there = to_ethiopian(local)
        return f"{weekday}፣ {_ETHIOPIAN_MONTHS[there.month - 1]} {there.day} ቀን {there.year} ዓ.ም."
    return f"{weekday}፣ {_MONTHS[local.month - 1]} {local.day} ቀን {local.year} (እ.ኤ.አ.)"


def clock(local: time, calendar: CalendarStyle) -> str:
    """Both clocks, the reader's first: an Amharic reader would take a bare 8:00 for two in the afternoon."""
    hour, minute, part = spoken_clock(local)
    # The hour of noon is not yet "after noon".
    spoken = f"{'ከቀኑ' if local.hour == 12 else _PARTS[part]} {hour}:{minute:02} ሰዓት"
    if calendar == "ethiopian":
        return f"{spoken} ({local:%H:%M})"
    return f"{local:%H:%M} (በኢትዮጵያ አቆጣጠር {spoken})"


def in_zone(place: str, offset: str) -> str:
    """The suffix of a time that names its zone: "፣ በአዲስ አበባ ሰዓት (UTC+3)"."""
    return f"፣ በ{_PLACES.get(place, place)} ሰዓት ({offset})" if place else f"፣ {offset}"


def span(length: Span) -> str:
    """Like "1 ሰዓት ከ30 ደቂቃ"."""
    return " ከ".join(f"{number} {unit}" for number, unit in zip(length, _UNITS, strict=True) if number)


def until(rest: Span) -> str:
    """Like "ከ15 ደቂቃ በኋላ", "ከአንድ ሰዓት በኋላ", "አሁን"."""
    units = [unit for number, unit in zip(rest, _UNITS, strict=True) if number]
    if not units:
        return "አሁን"
    return f"ከ{f'አንድ {units[0]}' if sum(rest) == 1 else span(rest)} በኋላ"


def listed(names: Sequence[str], others: int) -> str:
    """Like "A፣ B እና C", or with two names and three others "A፣ B እና ሌሎች 3"."""
    last = f"ሌሎች {others}" if others else names[-1] if names else ""
    first = names if others else names[:-1]
    return " እና ".join(filter(None, ("፣ ".join(first), last)))
