"""Metrics of the import: how far it lags behind the platform, and what it has refused."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text

from worker.database import Executor

# abs(): a pull in the future, from before a clock was set back, says as little as an old one.
_AGES = text(
    """
    SELECT kind, abs(extract(epoch FROM now() - pulled_at))::float AS age FROM platform_pulls
     WHERE pulled_at IS NOT NULL
    """
)
_REFUSED = text(
    "SELECT kind, count(DISTINCT platform_id) AS rows FROM platform_refusals WHERE is_refused GROUP BY kind"
)


@dataclass(frozen=True)
class PullMetrics:
    """By kind: seconds since the last complete pull, and the number of refused rows."""

    ages: Mapping[str, float]
    refused: Mapping[str, int]


def pull_metrics(executor: Executor) -> PullMetrics:
    """The current metrics, without kinds that were never pulled or have no refused row."""
    ages = {row.kind: row.age for row in executor.execute(_AGES, {})}
    return PullMetrics(ages, {row.kind: row.rows for row in executor.execute(_REFUSED, {})})
