"""Metrics of what is stored: rows and bytes of each table, and how long ago its pruners last succeeded."""

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client.core import Metric
from sqlalchemy import text

from models.metadata import metadata
from worker.api.operations.metric_families import labelled_gauge
from worker.database import Executor
from worker.jobs.operations.upkeep_ages import upkeep_ages

# PostgreSQL's own estimates, as of the last VACUUM or ANALYZE: counting would read every row, and pg_table_size waits
# for a migration that holds the table. The bytes include indexes and TOAST.
_SIZES = text(
    """
    SELECT part.relname AS name, greatest(part.reltuples, 0)::float AS rows,
           current_setting('block_size')::float * (part.relpages + coalesce(toast.relpages, 0) + coalesce(
               (SELECT sum(class.relpages) FROM pg_index AS known JOIN pg_class AS class ON class.oid = known.indexrelid
                 WHERE known.indrelid IN (part.oid, part.reltoastrelid)), 0)) AS bytes
      FROM pg_class AS part LEFT JOIN pg_class AS toast ON toast.oid = part.reltoastrelid
     WHERE part.oid = ANY(SELECT to_regclass(name) FROM unnest(CAST(:names AS text[])) AS name)
    """
)


@dataclass(frozen=True)
class TableMetrics:
    """Estimated rows and bytes by table, and seconds since each upkeep job last succeeded, by (kind, queue)."""

    rows: dict[str, float]
    bytes: dict[str, float]
    upkeep: dict[tuple[str, str], float]


def read_table_metrics(executor: Executor) -> TableMetrics:
    """The current metrics of all our tables."""
    sizes = executor.execute(_SIZES, {"names": sorted(metadata.tables)}).fetchall()
    return TableMetrics(
        {row.name: row.rows for row in sizes}, {row.name: row.bytes for row in sizes}, upkeep_ages(executor)
    )


def table_metrics(metrics: TableMetrics) -> Iterator[Metric]:
    """The same for Prometheus."""
    yield labelled_gauge("astegni_table_rows", "Rows of a table, as PostgreSQL estimates.", ("table",), metrics.rows)
    yield labelled_gauge(
        "astegni_table_bytes",
        "Bytes of a table with its indexes and TOAST, as PostgreSQL estimates.",
        ("table",),
        metrics.bytes,
    )
    yield labelled_gauge(
        "astegni_upkeep_age_seconds",
        "Seconds since a job that deletes what is old last succeeded.",
        ("kind", "queue"),
        metrics.upkeep,
    )
