"""Reads the strokes of a page from the database: those visible now, or all that ever were."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from worker.canvases.board import SkippedStroke
from worker.canvases.limits import MAX_STROKES_OF_PAGE
from worker.canvases.stored.json_text import parse_json

# Bytes of JSON text: hundreds of thousands of points, while a hand-drawn stroke has a few hundred.
MAX_BYTES_OF_STROKE = 8_000_000
MAX_BYTES_OF_PAGE = 40_000_000
# Rows in memory at once: strokes stored by the API have at most a quarter of a megabyte each.
_BATCH = 50

# Deleted rows without deleted_at are from the platform's early days: how long they were visible is unknown.
WAS_SEEN = "(NOT is_deleted OR deleted_at IS NOT NULL)"
# As text: data that is too large is never transferred, and data nested too deep for the parser fails for its own stroke
# only.
_STROKES = """
    SELECT id, stroke_type, stroke_order, created_at, started_at, ended_at,
           CASE WHEN is_deleted THEN deleted_at END AS deleted_at, octet_length(stroke_data::text) AS size,
           CASE WHEN octet_length(stroke_data::text) <= :most_bytes THEN stroke_data::text END AS data
      FROM page_strokes WHERE page_id = :page_id AND {seen}
     ORDER BY stroke_order, id LIMIT :most
"""
_NOW = text(_STROKES.format(seen="NOT is_deleted"))
_EVER = text(_STROKES.format(seen=WAS_SEEN))


def stream_strokes(
    session: Session, page_id: int, skipped: list[SkippedStroke], *, ever: bool = False
) -> Iterator[dict[str, Any]]:
    """The strokes in drawing order, in the form `read_page` accepts; strokes that are left out are added to `skipped`.

    They are streamed: one batch is in memory at a time. `ever`: also those that were undone or cleared, with the time
    of that.
    """
    values = {"page_id": page_id, "most_bytes": MAX_BYTES_OF_STROKE, "most": MAX_STROKES_OF_PAGE + 1}
    size = 0
    with session.execute(_EVER if ever else _NOW, values, execution_options={"yield_per": _BATCH}) as rows:
        for row in rows.mappings():
            if row["data"] is None:
                skipped.append(SkippedStroke(row["stroke_order"], f"its data has {row['size']} bytes"))
                continue
            size += row["size"]
            if size > MAX_BYTES_OF_PAGE:
                reason = f"it and all after it: more than {MAX_BYTES_OF_PAGE} bytes"
                skipped.append(SkippedStroke(row["stroke_order"], reason))
                return
            try:
                stroke_data = parse_json(row["data"])
            except (ValueError, RecursionError):
                skipped.append(
                    SkippedStroke(row["stroke_order"], "its data is nested too deep, or has a number too long")
                )
                continue
            # Drops the JSON text, which would double the memory.
            yield {**row, "data": None, "stroke_data": stroke_data}
