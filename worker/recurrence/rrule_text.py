"""The syntax of an RRULE value: parts, numbers, weekdays, UNTIL (RFC 5545 §3.3.10)."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from worker.errors import InvalidInput
from worker.recurrence.instants import instant

WEEKDAY_CODES: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
LONGEST_TEXT: Final = 500
_KNOWN = frozenset(
    "FREQ INTERVAL COUNT UNTIL BYMONTH BYMONTHDAY BYDAY BYSETPOS WKST RSCALE SKIP".split()  # noqa: SIM905 - reads better
)
_TIME_OF_DAY = "the time of day is the lesson's start_time"
_REFUSED = {
    "BYHOUR": _TIME_OF_DAY,
    "BYMINUTE": _TIME_OF_DAY,
    "BYSECOND": _TIME_OF_DAY,
    "BYYEARDAY": "name the month and the day, with BYMONTH and BYMONTHDAY",
    "BYWEEKNO": "name months and weekdays, with BYMONTH and BYDAY",
}
# ASCII only: int() would accept digits of every script, and underscores.
_NUMBER = re.compile(r"[+-]?[0-9]{1,5}")
_WEEKDAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_UNTIL = re.compile(r"([0-9]{8})(?:T([0-9]{6})(Z?))?")


def split_parts(text: str) -> dict[str, str]:
    """The parts of a rule by name, in capitals. Raises InvalidInput for unknown, duplicate or unsupported parts."""
    if len(text) > LONGEST_TEXT:
        raise InvalidInput(f"The rule is longer than {LONGEST_TEXT} characters.")
    parts: dict[str, str] = {}
    for part in text.strip().upper().removeprefix("RRULE:").removesuffix(";").split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value:
            raise InvalidInput(f"{part!r} is not a part of a rule; a rule looks like FREQ=WEEKLY;BYDAY=MO,WE.")
        if name in _REFUSED:
            raise InvalidInput(f"{name} is not supported: {_REFUSED[name]}.")
        if name not in _KNOWN:
            raise InvalidInput(f"{name!r} is not a part of a rule known here.")
        if name in parts:
            raise InvalidInput(f"The rule says {name} twice.")
        parts[name] = value
    return parts


def integer(name: str, text: str) -> int:
    """A number such as 2 or -1."""
    if not _NUMBER.fullmatch(text):
        raise InvalidInput(f"{name} must be a whole number, not {text!r}.")
    return int(text)


def integers(name: str, text: str | None) -> tuple[int, ...]:
    """Numbers separated by commas; empty when the part is missing."""
    return tuple(integer(name, each) for each in text.split(",")) if text is not None else ()


def weekdays(text: str | None) -> tuple[tuple[int, int], ...]:
    """Weekdays such as MO,-1FR as (ordinal, weekday) with 0 for no number and Monday as 0."""
    pairs = []
    for each in text.split(",") if text is not None else ():
        match = _WEEKDAY.fullmatch(each)
        if match is None or (match[1] and int(match[1]) == 0):
            raise InvalidInput(f"{each!r} is no weekday of a rule; those are {', '.join(WEEKDAY_CODES)}, as in -1FR.")
        pairs.append((int(match[1] or 0), WEEKDAY_CODES.index(match[2])))
    return tuple(pairs)


def one_of(known: Sequence[str], name: str, text: str) -> str:
    """`text`, which must be one of the words `known`."""
    if text not in known:
        raise InvalidInput(f"{name} must be {', '.join(known[:-1])} or {known[-1]}, not {text!r}.")
    return text


def last_day(text: str, zone: ZoneInfo | None, start_time: time) -> date:
    """The last local day whose lesson, at `start_time` in `zone`, begins at or before UNTIL.

    A date includes that whole day; a time of day is local; with a Z it is an instant, which needs `zone`. Raises
    InvalidInput for any other form.
    """
    match = _UNTIL.fullmatch(text)
    if match is None:
        raise InvalidInput(f"UNTIL must look like 20270131, 20270131T235959 or 20270131T205959Z, not {text!r}.")
    try:
        if match[2] is None:
            return datetime.strptime(match[1], "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone
        moment = datetime.strptime(match[1] + match[2], "%Y%m%d%H%M%S")  # noqa: DTZ007 - local, or made aware below
        if not match[3]:
            return moment.date() if start_time <= moment.time() else moment.date() - timedelta(days=1)
        if zone is None:
            raise InvalidInput("UNTIL is in UTC (it ends with Z), so the lesson's time zone is needed to read it.")
        until = moment.replace(tzinfo=UTC)
        # UNTIL is on this local day, so the next day's lesson begins after it, and this day's may too.
        day = until.astimezone(zone).date()
        return day if instant(day, start_time, zone) <= until else day - timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(f"UNTIL names a day or a time that does not exist: {text!r}.") from error


def is_rule_text(text: str) -> bool:
    """Whether a pattern is an RRULE value rather than a phrase."""
    return "=" in text
