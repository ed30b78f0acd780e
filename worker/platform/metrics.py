"""How far the import is behind the platform, and what it has refused: metrics."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text

from worker.database import Executor

_AGES = text(
    """
    SELECT kind, greatest(0, extract(epoch FROM now() - pulled_at))::float AS age FROM platform_pulls
     WHERE pulled_at IS NOT NULL
    """
)
_REFUSED = text(
    "SELECT kind, count(DISTINCT platform_id) AS rows FROM platform_refusals WHERE is_refused GROUP BY kind"
)


@dataclass(frozen=True)
class PullMetrics:
    """Seconds since the last complete pull, and rows that are refused, each by kind."""

    ages: Mapping[str, float]
    refused: Mapping[str, int]


def pull_metrics(executor: Executor) -> PullMetrics:
    """The current metrics. A kind that was never pulled, or has no refused row, is left out."""
    ages = {row.kind: row.age for row in executor.execute(_AGES, {})}
    return PullMetrics(ages, {row.kind: row.rows for row in executor.execute(_REFUSED, {})})
