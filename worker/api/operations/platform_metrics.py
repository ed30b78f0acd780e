"""Metrics of the platform's database, present only where PLATFORM_DATABASE_URL is set."""

import math
from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric

from worker.api.operations.metric_families import labelled_gauge
from worker.errors import Unavailable
from worker.platform.connection import PlatformConnection
from worker.platform.metrics import PullMetrics

# A scrape waits this long once; afterwards the connection remembers that the server is unavailable.
_SECONDS = 1.0


def answers(connection: PlatformConnection) -> bool:
    """Whether the platform answers this process now."""
    try:
        connection.rows("SELECT 1", seconds=_SECONDS)
    except Unavailable:
        return False
    return True


def platform_metrics(*, is_up: bool, pulls: PullMetrics) -> Iterator[Metric]:
    """Whether the platform answers, the age of the last pull, and what is refused.

    Without any pull the age of `all` is +Inf, so that an alarm that compares it fires.
    """
    yield GaugeMetricFamily("astegni_platform_up", "Whether the platform's database answers this process.", value=is_up)
    yield labelled_gauge(
        "astegni_platform_pull_age_seconds",
        "Seconds since rows of a kind were last brought up to date with the platform.",
        ("kind",),
        pulls.ages or {"all": math.inf},
    )
    yield labelled_gauge(
        "astegni_platform_refused_rows",
        "Rows of the platform that could not be imported: `astegni platform report`.",
        ("kind",),
        pulls.refused,
    )
