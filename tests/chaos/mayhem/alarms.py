"""The alarms of deploy/prometheus/rules.yml, evaluated on what the API exposes.

It knows the expressions that the rules about parts use, `metric{label="value"} > number` with an optional `sum()`, and
`for`; others are refused. Prometheus itself is not needed.
"""

import operator
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

RULES = Path(__file__).parents[3] / "deploy" / "prometheus" / "rules.yml"
_EXPRESSION = re.compile(
    r"(?P<sum>sum\()?(?P<metric>\w+)(?:\{(?P<matchers>[^}]*)\})?(?(sum)\)) (?P<op>==|<=|>=|<|>) (?P<number>\S+)"
)
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


@dataclass(frozen=True)
class Rule:
    """One alarm: `holds` says for which label sets its expression is true."""

    name: str
    expression: str
    wait: float

    def holds(self, samples: list[Sample], *, quick: float) -> set[tuple[tuple[str, str], ...]]:
        """The label sets for which it is true; thresholds in seconds are `quick` times shorter."""
        read = _EXPRESSION.fullmatch(self.expression)
        if read is None:
            raise ValueError(f"{self.name}: {self.expression} is beyond this evaluator")
        matchers = _MATCHER.findall(read["matchers"] or "")
        fitting = [
            sample
            for sample in samples
            if sample.name == read["metric"]
            and all(_MATCH[how](sample.labels.get(label, ""), wanted) for label, how, wanted in matchers)
        ]
        values = [(tuple(sorted(sample.labels.items())), sample.value) for sample in fitting]
        if read["sum"]:
            values = [((), sum(value for _labels, value in values))] if values else []
        number = float(read["number"]) / (quick if read["metric"].endswith("_seconds") else 1.0)
        return {labels for labels, value in values if _COMPARE[read["op"]](value, number)}


def read_rules(group: str | None = None) -> Iterator[Rule]:
    """The rules of a group, or all."""
    for found in yaml.safe_load(RULES.read_text())["groups"]:
        if group in (None, found["name"]):
            for rule in found["rules"]:
                wait = str(rule.get("for", "0s"))
                yield Rule(rule["alert"], rule["expr"], float(wait[:-1]) * _UNITS[wait[-1]])


class Alarms:
    """Asks for the metrics and says which alarms ring, as Prometheus would; `quick` times faster."""

    def __init__(self, metrics: Callable[[], str | None], *, quick: float) -> None:
        self._metrics = metrics
        self._quick = quick
        self._rules = list(read_rules("astegni-parts"))
        self._since: dict[Any, float] = {}

    def ringing(self) -> set[str]:
        """The names of the alarms that ring now. What cannot be scraped changes nothing."""
        exposition = self._metrics()
        if exposition is not None:
            samples = [sample for family in text_string_to_metric_families(exposition) for sample in family.samples]
            true = {(rule, labels) for rule in self._rules for labels in rule.holds(samples, quick=self._quick)}
            self._since = {key: self._since.get(key, time.monotonic()) for key in true}
        now = time.monotonic()
        return {rule.name for (rule, _labels), since in self._since.items() if now - since >= rule.wait / self._quick}

    def wait_until(self, wanted: Callable[[set[str]], bool], *, within: float, told: Callable[[], str]) -> float:
        """Ask until `wanted` holds of what rings; the seconds that took."""
        began = time.monotonic()
        while not wanted(names := self.ringing()):
            waited = time.monotonic() - began
            assert waited < within, f"after {waited:.0f} s these ring: {sorted(names)}\n{self._metrics()}\n{told()}"
            time.sleep(0.5)
        return time.monotonic() - began
