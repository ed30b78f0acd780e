"""Numbers that several processes add to."""

import os

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from worker.metrics.families import MetricFamily
from worker.metrics.shared_metrics import SharedMetrics

FAMILIES = (
    MetricFamily("sent", "Sent.", "counter", "channel", ("mail", "other")),
    MetricFamily("ended", "Ended.", "counter", "kind outcome", ("a good", "a bad", "other good"), is_quiet=True),
    MetricFamily("took", "Took.", "histogram", "kind", ("a", "b", "other"), (1.0, 5.0), is_quiet=True),
    MetricFamily("paused", "Paused.", "deadline", "channel", ("mail", "other")),
)


def read(metrics: SharedMetrics) -> dict[str, float]:
    """Every sample as `name label …`, through Prometheus' own text format."""
    registry = CollectorRegistry()
    registry.register(metrics)
    families = text_string_to_metric_families(generate_latest(registry).decode())
    samples = (sample for family in families for sample in family.samples)
    return {" ".join((sample.name, *sample.labels.values())): sample.value for sample in samples}


def test_a_histogram_is_cumulative_and_has_a_sum() -> None:
    metrics = SharedMetrics(FAMILIES)
    for measured in (0.5, 1.0, 2.0, 100.0):
        metrics.observe("took", "a", measured)
    values = read(metrics)
    assert [values[f"took_bucket a {bound}"] for bound in ("1.0", "5.0", "+Inf")] == [2, 3, 4]
    assert (values["took_count a"], values["took_sum a"]) == (4, 103.5)
    # What never happened has no series where there would be many of them.
    assert not [name for name in values if name.startswith("took_count b")]


def test_counters_exist_from_the_start_unless_they_are_many() -> None:
    values = read(SharedMetrics(FAMILIES))
    assert (values["sent_total mail"], values["sent_total other"]) == (0, 0)
    assert not [name for name in values if name.startswith("ended")]


def test_what_nobody_declared_makes_no_new_series() -> None:
    metrics = SharedMetrics(FAMILIES)
    metrics.count("sent", "pigeon")
    metrics.count("ended", "z good")
    metrics.observe("took", "z", 3.0)
    values = read(metrics)
    assert values["sent_total other"] == 1
    assert values["ended_total other good"] == 1
    assert values["took_count other"] == 1
    with pytest.raises(KeyError):
        metrics.count("ended", "z unheard-of")


def test_the_latest_deadline_of_any_process_counts() -> None:
    now = 100.0
    metrics = SharedMetrics(FAMILIES, children=1, now=lambda: now)
    metrics.set_deadline("paused", "mail", 110.0)
    metrics.use_slot(0)
    metrics.set_deadline("paused", "mail", 130.0)
    metrics.set_deadline("paused", "mail", 120.0)
    assert read(metrics)["paused mail"] == 30
    now = 131.0
    assert read(metrics)["paused mail"] == 0


def test_children_add_to_what_the_main_process_shows() -> None:
    metrics = SharedMetrics(FAMILIES, children=2)
    metrics.count("sent", "mail")
    # The third takes over the slot of the first.
    for slot in (0, 1, 0):
        child = os.fork()
        if child == 0:
            metrics.use_slot(slot)
            metrics.count("sent", "mail", 10)
            metrics.observe("took", "a", 2.0)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    values = read(metrics)
    assert values["sent_total mail"] == 31
    assert (values["took_count a"], values["took_sum a"]) == (3, 6.0)
