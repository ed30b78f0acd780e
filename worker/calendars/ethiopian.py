"""The Ethiopian calendar and the Ethiopian way of telling the time.

Twelve months of thirty days and Pagume of five, six before each year that is divisible by 4. The day begins at dawn,
six hours after midnight. Only for display and for rules: what is stored is Gregorian with an IANA zone.
"""

from dataclasses import dataclass
from datetime import date, time

from worker.errors import InvalidInput

MONTH_NAMES = (
    "Meskerem", "Tikimt", "Hidar", "Tahsas", "Tir", "Yekatit", "Megabit", "Miyazya", "Ginbot", "Sene", "Hamle",
    "Nehase", "Pagume",
)  # fmt: skip
MONTHS = len(MONTH_NAMES)
PAGUME = 13

# Day number (date.toordinal) of 1 Meskerem of year 1: 27 August 8 in the Gregorian calendar carried backwards.
_EPOCH = 2_796
_FOUR_YEARS = 4 * 365 + 1


@dataclass(frozen=True, order=True)
class EthiopianDate:
    """A day of the Ethiopian calendar (Amete Mihret); `month` 1 to 13. Years below 1 are before the era."""

    year: int
    month: int
    day: int

    def __str__(self) -> str:
        return f"{self.day} {MONTH_NAMES[self.month - 1]} {self.year}"


def to_ethiopian(day: date) -> EthiopianDate:
    """The same day in the Ethiopian calendar."""
    return EthiopianDate(*split(day.toordinal()))


def to_gregorian(day: EthiopianDate) -> date:
    """The same day in the Gregorian calendar. Raises InvalidInput when it does not exist."""
    if not (1 <= day.month <= MONTHS and 1 <= day.day <= month_length(day.year, day.month)):
        raise InvalidInput(f"There is no day {day.day} of month {day.month} in the Ethiopian year {day.year}.")
    ordinal = month_start(day.year, day.month) + day.day - 1
    if not date.min.toordinal() <= ordinal <= date.max.toordinal():
        raise InvalidInput(f"The Ethiopian year {day.year} is out of range.")
    return date.fromordinal(ordinal)


def month_start(year: int, month: int) -> int:
    """The day number (as of date.toordinal) of the first day of a month."""
    return _EPOCH + 365 * (year - 1) + year // 4 + 30 * (month - 1)


def month_length(year: int, month: int) -> int:
    """How many days a month has."""
    if month < PAGUME:
        return 30
    return 6 if year % 4 == 3 else 5


def split(ordinal: int) -> tuple[int, int, int]:
    """Year, month and day of a day number (as of date.toordinal)."""
    # Cycles of four years, the third of which is long: 365, 365, 366, 365 days.
    cycle, rest = divmod(ordinal - _EPOCH, _FOUR_YEARS)
    year = 4 * cycle + 1 + (rest >= 365) + (rest >= 730) + (rest >= 1096)
    month, day = divmod(ordinal - month_start(year, 1), 30)
    return year, month + 1, day + 1


def spoken_clock(clock: time) -> tuple[int, int, str]:
    """Hour (1 to 12), minute and part of the day in Ethiopian time: 14:30 is 8:30 in the afternoon.

    The parts are "night" from midnight, "morning" from 6:00, "afternoon" from noon and "evening" from 18:00.
    """
    parts = ("night", "morning", "afternoon", "evening")
    return (clock.hour - 6) % 12 or 12, clock.minute, parts[clock.hour // 6]
