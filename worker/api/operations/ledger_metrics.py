"""Metrics of the whole installation, read from the database: jobs, processes, messages, lessons, boards and uploads."""

import threading
import time
from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from worker.api.operations.metric_families import labelled_gauge
from worker.api.operations.part_metrics import local_metrics, process_metrics, spool_metrics
from worker.api.operations.platform_metrics import answers, platform_metrics
from worker.api.operations.table_metrics import TableMetrics, read_table_metrics, table_metrics
from worker.canvases.snapshots.metrics import outdated_pages
from worker.database import Database
from worker.jobs.heartbeats import ProcessMetrics, read_process_metrics
from worker.jobs.operations.metrics import QueueMetrics, queue_metrics
from worker.jobs.operations.queue_checks import queue_check_ages
from worker.platform.connection import PlatformConnection
from worker.platform.metrics import PullMetrics, pull_metrics
from worker.recordings.metrics import rendition_counts
from worker.reminders.delivery.metrics import DeliveryMetrics, delivery_metrics
from worker.schedules.metrics import LessonMetrics, lesson_metrics
from worker.settings import Settings
from worker.uploads.metrics import UploadMetrics, upload_metrics

# Anybody may request the metrics; the database is queried at most this often, in seconds.
_METRICS_AGE = 5.0

_Renditions = dict[tuple[str, str], int]
_Metrics = tuple[
    QueueMetrics,
    ProcessMetrics,
    dict[str, float],
    DeliveryMetrics,
    LessonMetrics,
    float,
    UploadMetrics,
    PullMetrics,
    _Renditions,
    TableMetrics,
]


class LedgerCollector(Collector):
    """Reads the database at most once every few seconds, however often it is scraped."""

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
        self._metrics: _Metrics | None = None

    def collect(self) -> Iterator[Metric]:
        metrics = self._current()
        yield GaugeMetricFamily("astegni_database_up", "Whether the ledger could be read.", value=metrics is not None)
        yield CounterMetricFamily(
            "astegni_publisher_drops", "Jobs that the publisher left to the relay.", value=self._publisher_drops()
        )
        yield from local_metrics(self._settings)
        if metrics is None:
            return
        queues, processes, checks, deliveries, lessons, behind, uploads, pulls, renditions, tables = metrics
        yield from _of_queues(queues)
        yield from process_metrics(self._settings, processes, checks)
        yield from _of_deliveries(deliveries)
        yield from _of_lessons(lessons)
        yield GaugeMetricFamily(
            "astegni_snapshots_behind_seconds",
            "For how long the oldest stroke of a running session has not been in its page's picture.",
            value=behind,
        )
        yield from spool_metrics(uploads)
        yield from _of_renditions(renditions, queues)
        yield from table_metrics(tables)
        if self._platform is not None:
            yield from platform_metrics(is_up=answers(self._platform), pulls=pulls)

    def _current(self) -> _Metrics | None:
        with self._lock:
            if time.monotonic() - self._counted_at >= _METRICS_AGE:
                self._metrics = self._count()
                self._counted_at = time.monotonic()
            return self._metrics

    def _count(self) -> _Metrics | None:
        try:
            with self._database.transaction() as session:
                return (
                    queue_metrics(session),
                    read_process_metrics(session, interval=self._settings.heartbeat_interval, reader="api"),
                    queue_check_ages(session),
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
                    rendition_counts(session),
                    read_table_metrics(session),
                )
        except SQLAlchemyError:
            return None


def _of_queues(metrics: QueueMetrics) -> Iterator[Metric]:
    yield labelled_gauge("astegni_jobs", "Jobs: live, and over within an hour.", ("state", "kind"), metrics.counts)
    yield GaugeMetricFamily(
        "astegni_jobs_died_last_hour", "Jobs that used up their attempts within the last hour.", value=metrics.died
    )
    yield GaugeMetricFamily(
        "astegni_jobs_oldest_due_age_seconds",
        "For how long the oldest due job has waited for its run.",
        value=metrics.oldest_due_age,
    )
    yield labelled_gauge(
        "astegni_queue_oldest_due_age_seconds",
        "For how long the oldest due job of a queue has waited for its run.",
        ("queue",),
        metrics.oldest_due,
    )


def _of_renditions(counts: _Renditions, metrics: QueueMetrics) -> Iterator[Metric]:
    yield labelled_gauge(
        "astegni_renditions", "Outputs of recordings: pending, and over within an hour.", ("state", "name"), counts
    )
    yield labelled_gauge(
        "astegni_media_run_seconds_last_hour",
        "For how many seconds jobs ran that made renditions or pictures within the last hour.",
        ("kind",),
        {kind: work.run_seconds for kind, work in metrics.media.items()},
    )
    yield labelled_gauge(
        "astegni_media_real_time_factor",
        "Seconds of recordings for each second that jobs worked on them within the last hour.",
        ("kind",),
        {kind: work.real_time_factor for kind, work in metrics.media.items()},
    )


def _of_deliveries(metrics: DeliveryMetrics) -> Iterator[Metric]:
    yield labelled_gauge(
        "astegni_deliveries",
        "Messages to people: due within an hour, and over within one.",
        ("state", "kind"),
        metrics.counts,
    )
    yield GaugeMetricFamily(
        "astegni_deliveries_overdue_seconds",
        "For how long the oldest message that is due has not been sent.",
        value=metrics.overdue,
    )
    yield labelled_gauge(
        "astegni_deliveries_put_off",
        "Messages that wait because their provider did not take them.",
        ("channel",),
        metrics.put_off,
    )
    yield labelled_gauge(
        "astegni_provider_trouble_seconds",
        "For how long a provider of ours (the mail server, a service) has taken no message because of us or itself.",
        ("provider",),
        metrics.troubles,
    )


def _of_lessons(metrics: LessonMetrics) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "astegni_lessons_overdue_seconds",
        "For how long the status of a lesson that began or ended has not followed.",
        value=metrics.overdue,
    )
    if metrics.filled_days is not None:
        yield GaugeMetricFamily(
            "astegni_series_filled_days",
            "How many days ahead the lessons of the least filled active series are stored.",
            value=metrics.filled_days,
        )
