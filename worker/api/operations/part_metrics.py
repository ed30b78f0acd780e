"""Metrics of the installation's parts: processes by their heartbeats, the broker, the disk of the spool."""

import math
import shutil
from collections.abc import Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily, Metric

from worker.api.operations.broker_state import OK, broker_state
from worker.api.operations.metric_families import labelled_gauge
from worker.jobs.heartbeats import ProcessMetrics
from worker.jobs.operations.silent_parts import expected_parts
from worker.queue_names import queue_names
from worker.settings import Settings
from worker.uploads.metrics import UploadMetrics


def process_metrics(settings: Settings, metrics: ProcessMetrics, checks: Mapping[str, float]) -> Iterator[Metric]:
    """Live workers by queue, the last check of each queue, the last run of each part, the differences between clocks.

    A part that never ran has an age of +Inf, so that an alert that compares the age fires. A queue that was
    never checked has no age: beat does not run.
    """
    yield labelled_gauge(
        "astegni_workers",
        "Living workers that consume the queue.",
        ("queue",),
        dict.fromkeys(queue_names(settings), 0) | metrics.consumers,
    )
    yield labelled_gauge(
        "astegni_queue_check_age_seconds",
        "Seconds since a job that does nothing last went through the queue.",
        ("queue",),
        checks,
    )
    yield labelled_gauge(
        "astegni_last_run_age_seconds",
        "Seconds since a part last completed its work.",
        ("part",),
        {part: metrics.last_runs.get(part, math.inf) for part in expected_parts(settings)},
    )
    yield labelled_gauge(
        "astegni_clock_offset_seconds",
        "The largest difference of a living process's clock from the database's.",
        ("part",),
        metrics.clocks,
    )


def local_metrics(settings: Settings) -> Iterator[Metric]:
    """What this process can measure itself: the broker, and the disk of the spool."""
    state = broker_state(settings)
    if settings.redis_url is not None:
        yield GaugeMetricFamily("astegni_broker_up", "Whether the broker answers.", value=state == OK)
    room = _room(settings)
    if room is not None:
        yield GaugeMetricFamily(
            "astegni_spool_room_bytes", "Free bytes of the spool's disk above SPOOL_RESERVE_BYTES.", value=room
        )


def spool_metrics(metrics: UploadMetrics) -> Iterator[Metric]:
    """The uploads in pieces, and the disk space of the spool that they reserve."""
    yield labelled_gauge("astegni_uploads", "Uploads in pieces.", ("state",), metrics.counts)
    yield GaugeMetricFamily(
        "astegni_uploads_reserved_bytes", "Bytes that open uploads in pieces may bring.", value=metrics.reserved
    )
    yield GaugeMetricFamily(
        "astegni_uploads_overdue_seconds",
        "For how long an upload in pieces has been abandoned without being ended.",
        value=metrics.overdue,
    )


def _room(settings: Settings) -> int | None:
    spool = settings.spool_dir.absolute()
    try:
        # The first upload creates the folder.
        folder = next((folder for folder in (spool, *spool.parents) if folder.exists()), None)
        return None if folder is None else shutil.disk_usage(folder).free - settings.spool_reserve_bytes
    except OSError:
        return None
