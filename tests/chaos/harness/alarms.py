"""The alarms of deploy/prometheus/rules.yml, evaluated on what the API exposes.

The evaluator knows the forms that the rules about parts have: `metric{label="value"} > number`, optionally below
`sum()` and `increase(…[window])`, and `absent(metric)`, with `for`. Other expressions are refused; Prometheus itself
evaluates them in deploy/prometheus/rules.test.yml.
"""

import operator
import re
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml
from prometheus_client.parser import text_string_to_metric_families

RULES = Path(__file__).parents[3] / "deploy" / "prometheus" / "rules.yml"
_SELECTOR = r"(?P<metric>\w+)(?:\{(?P<matchers>[^}]*)\})?"
_COMPARISON = re.compile(
    r"(?P<sum>sum\()?(?P<increase>increase\()?" + _SELECTOR + r"(?(increase)\[(?P<window>\w+)\]\))(?(sum)\))"
    r" (?P<op>==|<=|>=|<|>) (?P<number>\S+)"
)
_ABSENT = re.compile(r"absent\((?P<metric>\w+)\)")
_MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_MATCH: dict[str, Callable[[str, str], bool]] = {
    "=": lambda value, wanted: value == wanted,
    "!=": lambda value, wanted: value != wanted,
    "=~": lambda value, wanted: re.fullmatch(wanted, value) is not None,
    "!~": lambda value, wanted: re.fullmatch(wanted, value) is None,
}
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}

Labels = tuple[tuple[str, str], ...]
Series = dict[tuple[str, Labels], float]


@dataclass(frozen=True)
class Scrape:
    """All series at a moment of the monotonic clock; none when the metrics could not be read."""

    at: float
    series: Series

    @classmethod
    def of(cls, exposition: str | None, at: float) -> "Scrape":
        """The series of a text in Prometheus' format."""
        families = text_string_to_metric_families(exposition or "")
        samples = [sample for family in families for sample in family.samples]
        return cls(at, {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples})


@dataclass(frozen=True)
class Rule:
    """One alarm: `firing_labels` returns the label sets for which its expression is true."""

    name: str
    expression: str
    wait: float

    @property
    def is_evaluated(self) -> bool:
        """Whether this evaluator knows the form of the expression."""
        return bool(_COMPARISON.fullmatch(self.expression) or _ABSENT.fullmatch(self.expression))

    def firing_labels(self, scrapes: list[Scrape], *, quick: float) -> set[Labels]:
        """The label sets for which it is true after these scrapes; windows and thresholds in seconds are `quick` times
        shorter.
        """
        absent = _ABSENT.fullmatch(self.expression)
        if absent is not None:
            return set() if any(name == absent["metric"] for name, _labels in scrapes[-1].series) else {()}
        parts = _COMPARISON.fullmatch(self.expression)
        if parts is None:
            raise ValueError(f"{self.name}: {self.expression} is beyond this evaluator")
        values = _selected(scrapes[-1].series, parts)
        if parts["increase"]:
            window = seconds_of(parts["window"]) / quick
            # As in Prometheus, a series counts from its first value on.
            earliest: dict[Labels, float] = {}
            for scrape in scrapes:
                if scrape.at >= scrapes[-1].at - window:
                    earliest = _selected(scrape.series, parts) | earliest
            values = {labels: value - earliest[labels] for labels, value in values.items()}
        if parts["sum"]:
            values = {(): sum(values.values())} if values else {}
        number = float(parts["number"]) / (quick if parts["metric"].endswith("_seconds") else 1.0)
        return {labels for labels, value in values.items() if _COMPARE[parts["op"]](value, number)}


def _selected(series: Series, parts: re.Match[str]) -> dict[Labels, float]:
    matchers = _MATCHER.findall(parts["matchers"] or "")
    return {
        labels: value
        for (name, labels), value in series.items()
        if name == parts["metric"]
        and all(_MATCH[operator](dict(labels).get(label, ""), expected) for label, operator, expected in matchers)
    }


def seconds_of(duration: str) -> float:
    """The seconds of a duration of Prometheus that has one unit."""
    return float(duration[:-1]) * _UNITS[duration[-1]]


def read_rules(group: str | None = None) -> Iterator[Rule]:
    """The rules of a group, or all."""
    for section in yaml.safe_load(RULES.read_text())["groups"]:
        if group in (None, section["name"]):
            for rule in section["rules"]:
                yield Rule(rule["alert"], rule["expr"], seconds_of(str(rule.get("for", "0s"))))


class Alarms(Protocol):
    """Whatever evaluates the rules."""

    def firing(self) -> set[str]:
        """The names of the alarms that fire now."""


class OwnAlarms:
    """Reads the metrics at each call and evaluates the rules as Prometheus would; `quick` times faster."""

    def __init__(self, metrics: Callable[[], str | None], *, quick: float) -> None:
        self._metrics = metrics
        self._quick = quick
        self._rules = list(read_rules("astegni-parts"))
        self._scrapes: deque[Scrape] = deque(maxlen=1000)
        self._since: dict[Any, float] = {}

    def firing(self) -> set[str]:
        """The names of the alarms that fire now."""
        self._scrapes.append(Scrape.of(self._metrics(), time.monotonic()))
        scrapes = list(self._scrapes)
        true = {(rule, labels) for rule in self._rules for labels in rule.firing_labels(scrapes, quick=self._quick)}
        now = time.monotonic()
        self._since = {key: self._since.get(key, now) for key in true}
        return {rule.name for (rule, _labels), since in self._since.items() if now - since >= rule.wait / self._quick}


def wait_until_firing(
    alarms: Alarms,
    condition: Callable[[set[str]], bool],
    *,
    within: float,
    details: Callable[[], str],
    every: float = 0.5,
) -> float:
    """Read the alarms until `condition` is true of the names that fire; returns the seconds until then."""
    began = time.monotonic()
    while not condition(names := alarms.firing()):
        waited = time.monotonic() - began
        assert waited < within, f"after {waited:.0f} s these fire: {sorted(names)}\n{details()}"
        time.sleep(every)
    return time.monotonic() - began
