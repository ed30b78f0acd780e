"""Collects the parts of a phrase and builds the rule from them."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from worker.calendars.months import add_months
from worker.errors import InvalidInput
from worker.recurrence.expand import complete
from worker.recurrence.names import WEEKDAYS
from worker.recurrence.rule import CALENDARS, Rule

_SAID = {"DAILY": "daily", "WEEKLY": "weekly", "MONTHLY": "monthly", "YEARLY": "yearly"}
# What a lesson can be planned ahead; keeps all sums within the years of a date.
_LONGEST_SPAN = 1_000


@dataclass
class RuleBuilder:
    """The parts named so far; `set_pos` is the place among `days`, as in "the last weekday"."""

    first_day: date
    rscale: str
    freq: str | None = None
    interval: int | None = None
    days: list[tuple[int, int]] = field(default_factory=list)
    month_days: list[int] = field(default_factory=list)
    months: list[int] = field(default_factory=list)
    set_pos: int | None = None
    until: date | None = None
    count: int | None = None
    of_the_year: bool = False

    def repeat(self, freq: str, interval: int = 1) -> None:
        """Set the frequency. Raises InvalidInput when another was set before."""
        if self.freq not in (None, freq) or (self.interval not in (None, 1) and interval not in (1, self.interval)):
            raise InvalidInput(f"The pattern says both {_SAID[self.freq or freq]} and {_SAID[freq]}; keep one.")
        self.freq = freq
        if interval != 1:
            self.interval = interval

    def end(self, *, until: date | None = None, count: int | None = None) -> None:
        """Set the end. Raises InvalidInput when it was set before."""
        if self.until is not None or self.count is not None:
            raise InvalidInput("The pattern says twice when it ends; keep one.")
        self.until, self.count = until, count

    def span(self, number: int, unit: str) -> None:
        """Set the duration from the first day: 10 weeks are seventy days."""
        if not 1 <= number <= _LONGEST_SPAN:
            raise InvalidInput(f"“for {number}” must be 1 to {_LONGEST_SPAN}.")
        calendar = CALENDARS[self.rscale]
        months = {"MONTHLY": number, "YEARLY": number * calendar.months}.get(unit)
        if months is None:
            after = self.first_day + timedelta(days=number * (7 if unit == "WEEKLY" else 1))
        else:
            after = add_months(calendar, self.first_day, months)
        self.end(until=after - timedelta(days=1))

    def rule(self) -> Rule:
        """The rule built from the parts. Raises InvalidInput when they do not make one."""
        freq = self._frequency()
        self._check(freq)
        if freq == "DAILY" and self.days:
            freq = "WEEKLY"
        rule = Rule(
            freq=freq,
            interval=1 if self.interval is None else self.interval,
            count=self.count,
            until=self.until,
            by_month=tuple(self.months),
            by_month_day=tuple(self.month_days),
            by_day=tuple(self.days),
            by_set_pos=(self.set_pos,) if self.set_pos is not None else (),
            rscale=self.rscale if freq in ("MONTHLY", "YEARLY") or self.months else "GREGORIAN",
        )
        return complete(rule, self.first_day)

    def _frequency(self) -> str:
        if self.freq is not None:
            return self.freq
        if self.month_days or self._numbered() or self.set_pos is not None:
            return "YEARLY" if self.months or self.of_the_year else "MONTHLY"
        if self.days:
            return "WEEKLY"
        raise InvalidInput(
            'The pattern does not say how often: "daily", "weekly", "every Monday", "monthly", for example.'
        )

    def _numbered(self) -> bool:
        return any(ordinal for ordinal, _ in self.days)

    def _check(self, freq: str) -> None:
        longest = CALENDARS[self.rscale].longest_month
        plain = [WEEKDAYS[weekday] for ordinal, weekday in self.days if ordinal == 0] if self.set_pos is None else []
        picked = sum((bool(self.month_days), self._numbered(), self.set_pos is not None))
        first = plain[0] if plain else ""
        every = self.interval or 1
        no_month = freq == "YEARLY" and not self.months and (self.days or self.month_days) and not self.of_the_year
        for refused, why in (
            (any(not 1 <= abs(day) <= longest for day in self.month_days), f"A month has at most {longest} days."),
            (picked > 1 or (picked and plain), "The pattern mixes kinds of days; make a series of each."),
            (freq in ("DAILY", "WEEKLY") and picked, f"“{_SAID.get(freq)}” has no day of the month; say “monthly”."),
            (freq == "DAILY" and plain and every > 1, f"“every {every} days” cannot be on {first} only."),
            (
                freq in ("MONTHLY", "YEARLY") and plain,
                f"“{_SAID[freq]}” on {first}: say “every {first}” or “monthly on the first {first}”.",
            ),
            (no_month, "“yearly” on a day: say of which month, as in “yearly on 15 March”."),
        ):
            if refused:
                raise InvalidInput(why)
