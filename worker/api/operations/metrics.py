"""Metrics for Prometheus: this process's requests and connections, and those of the whole installation."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from worker.api.http.connections import Connections
from worker.api.operations.ledger_metrics import LedgerCollector
from worker.api.operations.stored_bytes import StoredBytesCollector
from worker.database import Database
from worker.platform.connection import PlatformConnection
from worker.settings import Settings

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SERVER_ERROR = 500
# Its 503 reports a state and is not a failed request of a client.
_READINESS = "/readyz"


class Metrics:
    """The registry of one application."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        publisher_drops: Callable[[], int],
        platform: PlatformConnection | None = None,
    ) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "astegni_http_requests", "Requests answered.", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "astegni_http_request_seconds",
            "Seconds until an answer began.",
            ("method", "route"),
            registry=self._registry,
        )
        # Without labels the series exists from the start: `increase()` misses the first value of a new one.
        self._failures = Counter(
            "astegni_http_failures", "Requests answered 5xx, readiness excepted.", registry=self._registry
        )
        self._refusals = Counter(
            "astegni_limit_refusals",
            "Requests answered 429, by the limit that was reached.",
            ("limit",),
            registry=self._registry,
        )
        self._registry.register(LedgerCollector(settings, database, publisher_drops, platform))
        self._registry.register(StoredBytesCollector(database))

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request; `route` is the path template, so that ids do not create new series."""
        known = method if method in _METHODS else "OTHER"
        self._requests.labels(known, route, status).inc()
        self._seconds.labels(known, route).observe(seconds)
        if status >= _SERVER_ERROR and route != _READINESS:
            self._failures.inc()

    def count_refusal(self, limit: str) -> None:
        """Count a refused request; `limit` is the name of the limit, never of a person."""
        self._refusals.labels(limit).inc()

    def watch_connections(self, connections: Connections) -> None:
        """Include the connections of this process in the metrics."""
        self._registry.register(_ConnectionCollector(connections))

    def exposition(self) -> bytes:
        """All metrics in Prometheus's text format."""
        return generate_latest(self._registry)


class _ConnectionCollector(Collector):
    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("astegni_connections", "Open connections.", value=len(self._connections))
        dropped = CounterMetricFamily(
            "astegni_connections_dropped", "Connections ended by us, by what we waited for.", labels=("reason",)
        )
        for reason, count in list(self._connections.dropped.items()):
            dropped.add_metric((reason,), count)
        yield dropped
