"""Metrics for Prometheus: this process's requests; the current ledger, processes, messages, lessons and boards."""

import threading
import time
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from worker.api.connections import Connections
from worker.api.part_metrics import local_metrics, process_metrics
from worker.api.platform_metrics import answers, platform_metrics
from worker.canvases.snapshots.metrics import outdated_pages
from worker.database import Database
from worker.jobs.heartbeats import ProcessMetrics, read_process_metrics
from worker.jobs.metrics import QueueMetrics, queue_metrics
from worker.platform.connection import PlatformConnection
from worker.platform.metrics import PullMetrics, pull_metrics
from worker.reminders.delivery.metrics import DeliveryMetrics, delivery_metrics
from worker.schedules.metrics import LessonMetrics, lesson_metrics
from worker.settings import Settings
from worker.uploads.metrics import UploadMetrics, upload_metrics

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SERVER_ERROR = 500
# Its 503 reports a state and is not a failed request of a client.
_READINESS = "/readyz"
# Anybody may request the metrics; the database is queried at most this often, in seconds.
_FIGURES_AGE = 5.0

_Figures = tuple[QueueMetrics, ProcessMetrics, DeliveryMetrics, LessonMetrics, float, UploadMetrics, PullMetrics]


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
        self._registry.register(_LedgerCollector(settings, database, publisher_drops, platform))

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


class _LedgerCollector(Collector):
    def __init__(
        self,
        settings: Settings,
        database: Database,
        publisher_drops: Callable[[], int],
        platform: PlatformConnection | None,
    ) -> None:
        self._platform = platform
        self._settings = settings
        self._database = database
        self._publisher_drops = publisher_drops
        self._lock = threading.Lock()
        self._counted_at = float("-inf")
        self._figures: _Figures | None = None

    def collect(self) -> Iterator[Metric]:
        figures = self._current()
        yield GaugeMetricFamily("astegni_database_up", "Whether the ledger could be read.", value=figures is not None)
        yield CounterMetricFamily(
            "astegni_publisher_drops", "Jobs that the publisher left to the relay.", value=self._publisher_drops()
        )
        yield from local_metrics(self._settings)
        if figures is None:
            return
        queues, processes, deliveries, lessons, behind, uploads, pulls = figures
        yield from _of_queues(queues)
        yield from process_metrics(self._settings, processes)
        yield from _of_deliveries(deliveries)
        yield from _of_lessons(lessons)
        yield GaugeMetricFamily(
            "astegni_snapshots_behind_seconds",
            "For how long the oldest stroke of a running session has not been in its page's picture.",
            value=behind,
        )
        yield from _of_uploads(uploads)
        if self._platform is not None:
            yield from platform_metrics(is_up=answers(self._platform), pulls=pulls)

    def _current(self) -> _Figures | None:
        with self._lock:
            if time.monotonic() - self._counted_at >= _FIGURES_AGE:
                self._figures = self._count()
                self._counted_at = time.monotonic()
            return self._figures

    def _count(self) -> _Figures | None:
        try:
            with self._database.transaction() as session:
                return (
                    queue_metrics(session),
                    read_process_metrics(session, interval=self._settings.heartbeat_interval),
                    delivery_metrics(session),
                    lesson_metrics(session),
                    outdated_pages(session),
                    upload_metrics(
                        session,
                        self._settings.spool_dir,
                        self._settings.spool_id,
                        abandoned_after=self._settings.upload_abandoned_after,
                    ),
                    pull_metrics(session),
                )
        except SQLAlchemyError:
            return None


def _of_queues(figures: QueueMetrics) -> Iterator[Metric]:
    jobs = GaugeMetricFamily("astegni_jobs", "Jobs in the ledger.", labels=("state", "kind"))
    for (state, kind), count in figures.counts.items():
        jobs.add_metric((state, kind), count)
    yield jobs
    yield GaugeMetricFamily(
        "astegni_jobs_died_last_hour", "Jobs that used up their attempts within the last hour.", value=figures.died
    )
    yield GaugeMetricFamily(
        "astegni_jobs_oldest_due_age_seconds",
        "For how long the oldest due job has waited for its run.",
        value=figures.oldest_due_age,
    )
    ages = GaugeMetricFamily(
        "astegni_queue_oldest_due_age_seconds",
        "For how long the oldest due job of a queue has waited for its run.",
        labels=("queue",),
    )
    for queue, age in sorted(figures.oldest_due.items()):
        ages.add_metric((queue,), age)
    yield ages


def _of_deliveries(figures: DeliveryMetrics) -> Iterator[Metric]:
    deliveries = GaugeMetricFamily(
        "astegni_deliveries", "Messages to people: waiting, and over within an hour.", labels=("state", "kind")
    )
    for (state, kind), count in figures.counts.items():
        deliveries.add_metric((state, kind), count)
    yield deliveries
    yield GaugeMetricFamily(
        "astegni_deliveries_overdue_seconds",
        "For how long the oldest message that is due has not been sent.",
        value=figures.overdue,
    )
    put_off = GaugeMetricFamily(
        "astegni_deliveries_put_off",
        "Messages that wait because their provider did not take them.",
        labels=("channel",),
    )
    for channel, count in figures.put_off.items():
        put_off.add_metric((channel,), count)
    yield put_off
    troubles = GaugeMetricFamily(
        "astegni_provider_trouble_seconds",
        "For how long a provider of ours (the mail server, a service) has taken no message because of us or itself.",
        labels=("provider",),
    )
    for provider, seconds in figures.troubles.items():
        troubles.add_metric((provider,), seconds)
    yield troubles


def _of_uploads(figures: UploadMetrics) -> Iterator[Metric]:
    uploads = GaugeMetricFamily("astegni_uploads", "Uploads in pieces.", labels=("state",))
    for state, count in figures.counts.items():
        uploads.add_metric((state,), count)
    yield uploads
    yield GaugeMetricFamily(
        "astegni_uploads_reserved_bytes", "Bytes that open uploads in pieces may bring.", value=figures.reserved
    )
    yield GaugeMetricFamily(
        "astegni_uploads_overdue_seconds",
        "For how long an upload in pieces has been abandoned without being ended.",
        value=figures.overdue,
    )


def _of_lessons(figures: LessonMetrics) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "astegni_lessons_overdue_seconds",
        "For how long the status of a lesson that began or ended has not followed.",
        value=figures.overdue,
    )
    if figures.filled_days is not None:
        yield GaugeMetricFamily(
            "astegni_series_filled_days",
            "How many days ahead the lessons of the least filled active series are stored.",
            value=figures.filled_days,
        )
