"""Counters and histograms that the processes of one worker add to, without a lock between them."""

import mmap
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from worker.metrics.families import OTHER, MetricFamily

_DOUBLE = 8


class SharedMetrics(Collector):
    """Numbers in anonymous memory that forks inherit: each process writes to its own slot, and a reader adds them up.

    A child that replaces another takes over its slot and continues its counts. Create it before the first fork; the
    last slot is the main process's.
    """

    def __init__(
        self, families: Iterable[MetricFamily], *, children: int = 0, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._families = {family.name: family for family in families}
        self._places: dict[tuple[str, str], int] = {}
        size = 0
        for family in self._families.values():
            for value in family.values:
                self._places[family.name, value] = size
                size += _width(family)
        self._size = size
        self._slots = children + 1
        self._now = now
        self._numbers = memoryview(mmap.mmap(-1, max(1, size * self._slots) * _DOUBLE)).cast("d")
        self.use_slot(children)

    def use_slot(self, number: int) -> None:
        """Record to this slot from now on; called in a child after its fork."""
        self._base = min(number, self._slots - 1) * self._size
        # The inherited lock may have been held during the fork.
        self._lock = threading.Lock()

    def count(self, name: str, value: str, amount: float = 1.0) -> None:
        """Add to a counter."""
        self._add(self._place(name, value), amount)

    def observe(self, name: str, value: str, measured: float) -> None:
        """Add a measurement to a histogram: to its bucket and to the sum of all."""
        place = self._place(name, value)
        buckets = self._families[name].buckets
        self._add(place + bisect_left(buckets, measured), 1.0)
        self._add(place + len(buckets) + 1, measured)

    def set_deadline(self, name: str, value: str, moment: float) -> None:
        """Set a moment of the monotonic clock, which all processes of a machine share; it never moves back."""
        place = self._place(name, value)
        with self._lock:
            self._numbers[place] = max(self._numbers[place], moment)

    def collect(self) -> Iterator[Metric]:
        """Yield every family, for prometheus_client."""
        for family in self._families.values():
            yield {"counter": self._counter, "histogram": self._histogram, "deadline": self._deadline}[family.type](
                family
            )

    def _place(self, name: str, value: str) -> int:
        place = self._places.get((name, value))
        if place is None:
            # In "kind outcome", the outcome is always one of ours.
            place = self._places[name, " ".join((OTHER, *value.split()[1:]))]
        return self._base + place

    def _add(self, place: int, amount: float) -> None:
        with self._lock:
            self._numbers[place] += amount

    def _values(self, place: int) -> list[float]:
        """The number at this place of each slot."""
        return [self._numbers[slot * self._size + place] for slot in range(self._slots)]

    def _counter(self, family: MetricFamily) -> Metric:
        metric = CounterMetricFamily(family.name, family.documentation, labels=family.label.split())
        for value in family.values:
            total = sum(self._values(self._places[family.name, value]))
            if total or not family.is_quiet:
                metric.add_metric(value.split(), total)
        return metric

    def _deadline(self, family: MetricFamily) -> Metric:
        metric = GaugeMetricFamily(family.name, family.documentation, labels=[family.label])
        for value in family.values:
            latest = max(self._values(self._places[family.name, value]))
            metric.add_metric([value], max(0.0, latest - self._now()))
        return metric

    def _histogram(self, family: MetricFamily) -> Metric:
        metric = HistogramMetricFamily(family.name, family.documentation, labels=[family.label])
        bounds = [*map(str, family.buckets), "+Inf"]
        for value in family.values:
            place = self._places[family.name, value]
            counts = [sum(self._values(place + number)) for number in range(len(bounds))]
            if any(counts) or not family.is_quiet:
                cumulative = [(bound, sum(counts[: number + 1])) for number, bound in enumerate(bounds)]
                metric.add_metric([value], cumulative, sum(self._values(place + len(bounds))))
        return metric


def _width(family: MetricFamily) -> int:
    """How many numbers a label value needs: a histogram has its buckets, the one above them, and the sum."""
    return len(family.buckets) + 2 if family.type == "histogram" else 1
