"""English words that depend on numbers, dates and names."""

from collections.abc import Sequence
from datetime import date, datetime, time

from worker.calendars.ethiopian import spoken_clock, to_ethiopian
from worker.reminders.texts.recipient import CalendarStyle
from worker.reminders.texts.spans import Span

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_PARTS = {
    "night": "at night",
    "morning": "in the morning",
    "afternoon": "in the afternoon",
    "evening": "in the evening",
}
_UNITS = ("day", "hour", "minute")
_ONE = {"day": "a day", "hour": "an hour", "minute": "a minute"}


def moment(local: datetime, calendar: CalendarStyle) -> str:
    """Like "Tuesday, 16 June 2026, 14:00"."""
    return f"{day(local.date(), calendar)}, {clock(local.time(), calendar)}"


def day(local: date, calendar: CalendarStyle) -> str:
    """Like "Tuesday, 16 June 2026", or "Tuesday, 9 Sene 2018"."""
    if calendar == "ethiopian":
        return f"{_WEEKDAYS[local.weekday()]}, {to_ethiopian(local)}"
    return f"{_WEEKDAYS[local.weekday()]}, {local.day} {_MONTHS[local.month - 1]} {local.year}"


def clock(local: time, calendar: CalendarStyle) -> str:
    """Like "14:00", or "8:00 in the afternoon (14:00)": the Ethiopian hour alone would be misread."""
    if calendar == "gregorian":
        return f"{local:%H:%M}"
    hour, minute, part = spoken_clock(local)
    return f"{hour}:{minute:02} {_PARTS[part]} ({local:%H:%M})"


def in_zone(place: str, offset: str) -> str:
    """The suffix of a time that names its zone: ", New York time (UTC-4)"."""
    return f", {place} time ({offset})" if place else f", {offset}"


def span(length: Span) -> str:
    """Like "1 hour 30 minutes"."""
    return " ".join(
        f"{number} {unit}{'' if number == 1 else 's'}" for number, unit in zip(length, _UNITS, strict=True) if number
    )


def until(rest: Span) -> str:
    """Like "in 15 minutes", "in an hour", "now"."""
    units = [unit for number, unit in zip(rest, _UNITS, strict=True) if number]
    if not units:
        return "now"
    return f"in {_ONE[units[0]] if sum(rest) == 1 else span(rest)}"


def listed(names: Sequence[str], others: int) -> str:
    """Like "A, B and C", or with two names and three others "A, B and 3 others"."""
    last = (f"{others} others" if others > 1 else "1 other") if others else names[-1] if names else ""
    first = names if others else names[:-1]
    return " and ".join(filter(None, (", ".join(first), last)))
