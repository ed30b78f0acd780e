"""A recurrence rule: RFC 5545 §3.3.10 by whole days, in the calendars of RFC 7529."""

from dataclasses import dataclass
from datetime import date, time
from typing import Final
from zoneinfo import ZoneInfo

from worker.calendars.months import ETHIOPIAN, GREGORIAN, Calendar
from worker.errors import InvalidInput
from worker.recurrence.rrule_text import WEEKDAY_CODES, integer, integers, last_day, one_of, split_parts, weekdays

FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
CALENDARS: Final[dict[str, Calendar]] = {"GREGORIAN": GREGORIAN, "ETHIOPIC": ETHIOPIAN}
SKIPS: Final = ("OMIT", "BACKWARD", "FORWARD")
MAX_OCCURRENCES: Final = 10_000
# Nobody plans a lesson every third century; small intervals keep the search for a first day short.
MAX_INTERVAL: Final = 1_000
# The years that lessons may be in: far enough for any, near enough for all arithmetic.
FIRST_YEAR, LAST_YEAR = 1900, 2199


@dataclass(frozen=True)
class Rule:
    """The days on which a lesson takes place; the time of day belongs to the lesson.

    `by_day` holds (ordinal, weekday): ordinal 0 is every such weekday, 2 the second, -1 the last; Monday is 0. `until`
    is the last local day, inclusive. `rscale` names the calendar of months, days and years; `skip` says what replaces
    days that a month lacks: OMIT nothing, BACKWARD its last day, FORWARD the next month (RFC 7529 §4.1). Raises
    InvalidInput for an impossible rule.
    """

    freq: str
    interval: int = 1
    count: int | None = None
    until: date | None = None
    by_month: tuple[int, ...] = ()
    by_month_day: tuple[int, ...] = ()
    by_day: tuple[tuple[int, int], ...] = ()
    by_set_pos: tuple[int, ...] = ()
    week_start: int = 0
    rscale: str = "GREGORIAN"
    skip: str = "OMIT"

    def __post_init__(self) -> None:
        _check(self)
        # Sorted and without duplicates, so that rules with the same meaning are equal.
        for name in ("by_month", "by_month_day", "by_set_pos"):
            object.__setattr__(self, name, tuple(sorted(set(getattr(self, name)), key=lambda each: (each < 0, each))))
        object.__setattr__(self, "by_day", tuple(sorted(set(self.by_day), key=lambda each: (each[1], each[0]))))

    @property
    def calendar(self) -> Calendar:
        """The calendar that the rule counts in."""
        return CALENDARS[self.rscale]

    def __str__(self) -> str:
        """The canonical RRULE value, without "RRULE:"; `parse_rule` turns it into an equal rule."""
        days = ",".join(f"{ordinal or ''}{WEEKDAY_CODES[weekday]}" for ordinal, weekday in self.by_day)
        parts = {
            # SKIP is only valid together with RSCALE (RFC 7529 §4.1).
            "RSCALE": self.rscale if (self.rscale, self.skip) != ("GREGORIAN", "OMIT") else "",
            "FREQ": self.freq,
            "INTERVAL": str(self.interval) if self.interval > 1 else "",
            "COUNT": str(self.count or ""),
            "UNTIL": f"{self.until:%Y%m%d}".rjust(8, "0") if self.until else "",
            "BYMONTH": ",".join(map(str, self.by_month)),
            "BYMONTHDAY": ",".join(map(str, self.by_month_day)),
            "BYDAY": days,
            "BYSETPOS": ",".join(map(str, self.by_set_pos)),
            "WKST": WEEKDAY_CODES[self.week_start] if self.week_start else "",
            "SKIP": self.skip if self.skip != "OMIT" else "",
        }
        return ";".join(f"{name}={value}" for name, value in parts.items() if value)


def parse_rule(text: str, *, zone: ZoneInfo | None = None, start_time: time = time.min) -> Rule:
    """Parse an RRULE value (RFC 5545 §3.3.10 with RSCALE and SKIP of RFC 7529), with or without "RRULE:".

    `zone` and `start_time` are the lesson's: an UNTIL with a time of day becomes the last day whose lesson has begun by
    then, and one in UTC requires the zone. Raises InvalidInput with the reason.
    """
    parts = split_parts(text)
    if "FREQ" not in parts:
        raise InvalidInput("The rule needs a FREQ: DAILY, WEEKLY, MONTHLY or YEARLY.")
    until = parts.get("UNTIL")
    return Rule(
        freq=one_of(FREQUENCIES, "FREQ", parts["FREQ"]),
        interval=integer("INTERVAL", parts.get("INTERVAL", "1")),
        count=integer("COUNT", parts["COUNT"]) if "COUNT" in parts else None,
        until=last_day(until, zone, start_time) if until is not None else None,
        by_month=integers("BYMONTH", parts.get("BYMONTH")),
        by_month_day=integers("BYMONTHDAY", parts.get("BYMONTHDAY")),
        by_day=weekdays(parts.get("BYDAY")),
        by_set_pos=integers("BYSETPOS", parts.get("BYSETPOS")),
        week_start=WEEKDAY_CODES.index(one_of(WEEKDAY_CODES, "WKST", parts.get("WKST", "MO"))),
        rscale=one_of(tuple(CALENDARS), "RSCALE", parts.get("RSCALE", "GREGORIAN")),
        skip=one_of(SKIPS, "SKIP", parts.get("SKIP", "OMIT")),
    )


def rscale_of(calendar: str) -> str:
    """The RSCALE of a calendar's plain name, "gregorian" or "ethiopian". Raises InvalidInput for another."""
    try:
        return {"gregorian": "GREGORIAN", "ethiopian": "ETHIOPIC"}[calendar.strip().casefold()]
    except KeyError:
        raise InvalidInput(f"calendar must be gregorian or ethiopian, not {calendar[:40]!r}.") from None


def _check(rule: Rule) -> None:
    calendar = rule.calendar
    _check_range("INTERVAL", (rule.interval,), MAX_INTERVAL)
    _check_range("COUNT", (rule.count,) if rule.count is not None else (), MAX_OCCURRENCES)
    _check_range("BYMONTH", rule.by_month, calendar.months)
    _check_range("BYMONTHDAY", rule.by_month_day, calendar.longest_month, signed=True)
    _check_range("BYSETPOS", rule.by_set_pos, 366, signed=True)
    _check_range("A number in BYDAY", _ordinals(rule), 53 if rule.freq == "YEARLY" else 5, signed=True)
    for refused, why in (
        (rule.count is not None and rule.until is not None, "COUNT and UNTIL cannot stand in one rule; keep one."),
        (rule.freq == "WEEKLY" and rule.by_month_day, "BYMONTHDAY has no meaning in a weekly rule; use FREQ=MONTHLY."),
        (
            rule.freq in ("DAILY", "WEEKLY") and _ordinals(rule),
            "A number in BYDAY, as in 2MO, needs FREQ=MONTHLY or FREQ=YEARLY.",
        ),
        (
            rule.by_set_pos and not (rule.by_month or rule.by_month_day or rule.by_day),
            "BYSETPOS picks among the days of another part, such as BYDAY; there is none.",
        ),
    ):
        if refused:
            raise InvalidInput(why)


def _ordinals(rule: Rule) -> tuple[int, ...]:
    return tuple(ordinal for ordinal, _ in rule.by_day if ordinal)


def _check_range(name: str, values: tuple[int, ...], most: int, *, signed: bool = False) -> None:
    for value in values:
        if not 1 <= (abs(value) if signed else value) <= most:
            bounds = f"1 to {most} or -1 to -{most}" if signed else f"1 to {most}"
            raise InvalidInput(f"{name} must be {bounds}, not {value}.")
