"""A metric of several labelled values."""

from collections.abc import Mapping
from typing import Any

from prometheus_client.core import GaugeMetricFamily


def labelled_gauge(
    name: str, documentation: str, labels: tuple[str, ...], values: Mapping[Any, float]
) -> GaugeMetricFamily:
    """A gauge with a sample for each of `values`; a key is the label's value, or a tuple for several labels."""
    family = GaugeMetricFamily(name, documentation, labels=labels)
    for key, value in sorted(values.items()):
        family.add_metric(key if isinstance(key, tuple) else (key,), value)
    return family
