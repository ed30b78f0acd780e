"""What is declared: every label has few values, and the documentation names each family."""

from pathlib import Path

from worker.jobs.orders.registered import order_kinds
from worker.metrics.families import families_of
from worker.metrics.shared_metrics import SharedMetrics

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
_MAX_SERIES = 2000


def test_series_are_few_whatever_happens() -> None:
    families = families_of(order_kinds())
    series = sum(len(family.values) * (len(family.buckets) + 3 if family.buckets else 1) for family in families)
    assert series < _MAX_SERIES
    assert SharedMetrics(families, children=64)


def test_the_documentation_names_each() -> None:
    page = OPERATIONS.read_text()
    names = [name.name + ("_total" if name.type == "counter" else "") for name in families_of(order_kinds())]
    assert [name for name in names if f"`{name}" not in page] == []
