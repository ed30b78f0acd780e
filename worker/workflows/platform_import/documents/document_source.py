"""Sources of the platform of 2025, as the document of its tables describes them."""

from collections.abc import Sequence
from typing import Any

from worker.platform.catalog import Column
from worker.platform.source import Source
from worker.workflows.platform_import.kind import Pull


def document_source(table: str, required: Sequence[str], **columns: str) -> Source:
    """A table of the document: its integer key, integer columns without which a row is useless, others by type."""
    return Source(
        table,
        {
            "id": Column(table, "id", "integer", required=True),
            **{name: Column(table, name, "integer", required=True) for name in required},
            **{name: Column(table, name, kind) for name, kind in columns.items()},
        },
    )


def created_column(row: Any, pull: Pull) -> dict[str, Any]:
    """`created_at`, unless it is NULL there: our default then applies."""
    created_at = pull.written_at(row.created_at)
    return {} if created_at is None else {"created_at": created_at}
