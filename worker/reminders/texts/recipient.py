"""Who reads a message: language, time zone and calendar."""

from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "am"]
CalendarStyle = Literal["gregorian", "ethiopian"]


@dataclass(frozen=True)
class Recipient:
    """The reader. `timezone` is an IANA name; if it is unknown, times are in the lesson's own zone."""

    name: str
    language: Language
    timezone: str
    calendar: CalendarStyle = "gregorian"
