"""Parse patterns in English: "every Monday, Wednesday", "monthly on the last Friday", "weekly for 10 weeks"."""

import re
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

from worker.calendars.ethiopian import EthiopianDate, to_gregorian
from worker.calendars.months import add_months
from worker.errors import InvalidInput
from worker.recurrence.expand import complete
from worker.recurrence.names import MONTHS, WEEKDAYS, nth
from worker.recurrence.phrase_tokens import UNDERSTOOD, shown, tokenize
from worker.recurrence.rrule_text import LONGEST_TEXT, is_rule_text
from worker.recurrence.rule import CALENDARS, Rule, parse_rule, rscale_of

# Matches tokens (phrase_tokens.py), each followed by a space. A number in an end clause is not a day of the month.
_PHRASE = re.compile(
    r"(?:every (?:[no](?P<interval>\d+) )?(?P<unit>day|week|month) |(?P<every>every (?:n(?P<skip>\d+) )?))?"
    r"(?:(?:(?P<weekdays>(?:d\d )+)"
    r"|(?P<places>(?:o-?\d+ )+)(?P<weekday>d\d )"
    r"|(?P<last>o-\d day )"
    r"|(?P<month_days>(?:[no]\d+ )+)(?:day )?)"
    r"(?P<month>(?:every )?month )?)?"
    r"(?:until (?P<until>.+)|for n(?P<span>\d+) (?P<span_unit>day|week|month|year) |(?:for )?n(?P<count>\d+) times )?"
)
_RANGE = re.compile(r"\bd(\d) to d(\d)\b")
_SPELLED_DATE = re.compile(
    r"[no](?P<day>\d+) (?P<month>[me]\d+) n(?P<year>\d+)|(?P<us_month>m\d+) [no](?P<us_day>\d+) n(?P<us_year>\d+)"
)
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# How far ahead a lesson can be planned; keeps all sums within the years of a date.
_LONGEST_SPAN = 1_000
_ADVERBS = {"day": "daily", "week": "weekly", "month": "monthly"}


def parse_phrase(
    text: str,
    first_day: date,
    *,
    calendar: str = "gregorian",
    zone: ZoneInfo | None = None,
    start_time: time = time.min,
) -> Rule:
    """Parse a pattern, which is an English phrase or an RRULE value (then `zone` as in `parse_rule`).

    What a phrase leaves open is taken from `first_day`: "weekly" is on its weekday, "for 10 weeks" covers 70 days. In
    the calendar "ethiopian" days of the month are Ethiopian, and so are the months and years of "for". Raises
    InvalidInput with the unknown word and the accepted ones.
    """
    if len(text) > LONGEST_TEXT:
        raise InvalidInput(f"The pattern is longer than {LONGEST_TEXT} characters.")
    if is_rule_text(text):
        return parse_rule(text, zone=zone, start_time=start_time)
    return complete(_read(text, first_day, rscale_of(calendar)), first_day)


def _read(text: str, first_day: date, rscale: str) -> Rule:
    tokens = _RANGE.sub(_range, tokenize(text))
    phrase = _PHRASE.fullmatch(f"{tokens} ")
    parts = {name: value.strip() for name, value in phrase.groupdict().items() if value} if phrase else {}
    if not parts or ("skip" in parts and "weekdays" not in parts):
        raise InvalidInput(f"{shown(text)} was not understood as a pattern. {UNDERSTOOD}")
    freq = _frequency(parts, text)
    return Rule(
        freq=freq,
        interval=int(parts.get("interval") or parts.get("skip") or 1),
        count=int(parts["count"]) if "count" in parts else None,
        until=_end(parts, first_day, rscale),
        by_month_day=_numbers(parts.get("month_days", parts.get("last", "").removesuffix(" day"))),
        by_day=_weekdays(parts),
        rscale=rscale if freq == "MONTHLY" else "GREGORIAN",
    )


def _range(match: re.Match[str]) -> str:
    """The weekdays of a range: Monday to Friday, Saturday to Monday."""
    first, last = int(match[1]), int(match[2])
    return " ".join(f"d{(first + each) % 7}" for each in range((last - first) % 7 + 1))


def _numbers(tokens: str) -> tuple[int, ...]:
    return tuple(int(token[1:]) for token in tokens.split())


def _weekdays(parts: dict[str, str]) -> tuple[tuple[int, int], ...]:
    if "weekday" in parts:
        return tuple((place, int(parts["weekday"][1:])) for place in _numbers(parts["places"]))
    return tuple((0, weekday) for weekday in _numbers(parts.get("weekdays", "")))


def _frequency(parts: dict[str, str], text: str) -> str:
    """The FREQ of a phrase. Raises InvalidInput if its parts do not fit, suggesting a valid wording."""
    unit = "month" if "month" in parts else parts.get("unit")
    in_month = parts.keys() & {"places", "last", "month_days"}
    if unit == "month" and "weekdays" in parts:
        name = WEEKDAYS[int(parts["weekdays"][1])]
        raise InvalidInput(f"“monthly” on {name}: say “every {name}” or “monthly on the first {name}”.")
    if in_month and parts.get("unit") in ("day", "week"):
        adverb = _ADVERBS[parts["unit"]]
        raise InvalidInput(f"“{adverb}” has no day of the month; say “monthly”.")
    if "places" in parts and unit is None and "every" in parts:
        _refuse_ambiguous(parts)
    if unit == "month" or "places" in parts:
        return "MONTHLY"
    if "weekdays" in parts and unit == "day" and int(parts.get("interval", 1)) > 1:
        raise InvalidInput(f"“every {parts['interval']} days” cannot be on some weekdays only.")
    if "weekdays" in parts or unit == "week":
        return "WEEKLY"
    if unit == "day":
        return "DAILY"
    raise InvalidInput(f"{shown(text)} does not say how often. {UNDERSTOOD}")


def _refuse_ambiguous(parts: dict[str, str]) -> None:
    """Reject "every second Friday": that of a month, or every other week?"""
    place, name = _numbers(parts["places"])[0], WEEKDAYS[int(parts["weekday"][1:])]
    if place > 1:
        ordinal = nth(place)
        raise InvalidInput(
            f"“every {ordinal} {name}” can be read in two ways: say “every {place} weeks on {name}” or "
            f"“monthly on the {ordinal} {name}”."
        )


def _end(parts: dict[str, str], first_day: date, rscale: str) -> date | None:
    if "until" in parts:
        return _date(parts["until"])
    if "span" not in parts:
        return None
    number, unit = int(parts["span"]), parts["span_unit"]
    if not 1 <= number <= _LONGEST_SPAN:
        raise InvalidInput(f"“for {number}” must be 1 to {_LONGEST_SPAN}.")
    calendar = CALENDARS[rscale]
    if unit in ("month", "year"):
        after = add_months(calendar, first_day, number * (calendar.months if unit == "year" else 1))
    else:
        after = first_day + timedelta(days=number * (7 if unit == "week" else 1))
    return after - timedelta(days=1)


def _date(tokens: str) -> date:
    """Parse 2027-01-31, 31 January 2027, January 31, 2027 or 5 Meskerem 2019."""
    spelled = _SPELLED_DATE.fullmatch(tokens)
    if spelled is None and not _ISO_DATE.fullmatch(tokens):
        raise InvalidInput("After “until” comes a day: “2027-01-31” or “31 January 2027”.")
    try:
        if spelled is None:
            return date.fromisoformat(tokens)
        day, month, year = (spelled[name] or spelled[f"us_{name}"] for name in ("day", "month", "year"))
        if month[0] == "e":
            return to_gregorian(EthiopianDate(int(year), int(month[1:]), int(day)))
        tokens = f"{day} {MONTHS[int(month[1:]) - 1]} {year}"
        return date(int(year), int(month[1:]), int(day))
    except ValueError as error:
        raise InvalidInput(f"There is no day {tokens}.") from error
