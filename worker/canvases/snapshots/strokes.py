"""The strokes of a page out of the database: those that are to be seen now, or all that ever were."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from worker.canvases.limits import MOST_STROKES_OF_PAGE
from worker.canvases.stored.json_text import parse_json
from worker.canvases.stored.pages import SkippedStroke

# JSON text. Some hundred thousand points; a hand draws a few hundred.
MOST_BYTES_OF_STROKE = 8_000_000
MOST_BYTES_OF_PAGE = 40_000_000
# Rows in memory at once: of strokes that the API stores each has at most a quarter of a megabyte.
_BATCH = 50

# A row that says deleted and not when is of the platform's early days: nobody knows how long it was seen.
WAS_SEEN = "(NOT is_deleted OR deleted_at IS NOT NULL)"
# As text: what is too large never comes over, and what is nested too deep for the parser breaks its own stroke only.
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
    """The strokes in drawing order, as `read_page` takes them, read while they are drawn on; adds what was left out
    to `skipped`.

    `ever`: also those that were undone or cleared, with the moment of it.
    """
    values = {"page_id": page_id, "most_bytes": MOST_BYTES_OF_STROKE, "most": MOST_STROKES_OF_PAGE + 1}
    size = 0
    with session.execute(_EVER if ever else _NOW, values, execution_options={"yield_per": _BATCH}) as rows:
        for row in rows.mappings():
            if row["data"] is None:
                skipped.append(SkippedStroke(row["stroke_order"], f"its data has {row['size']} bytes"))
                continue
            size += row["size"]
            if size > MOST_BYTES_OF_PAGE:
                reason = f"it and all after it: more than {MOST_BYTES_OF_PAGE} bytes"
                skipped.append(SkippedStroke(row["stroke_order"], reason))
                return
            try:
                stroke_data = parse_json(row["data"])
            except (ValueError, RecursionError):
                skipped.append(
                    SkippedStroke(row["stroke_order"], "its data is nested too deep, or has a number too long")
                )
                continue
            # Not the text as well: it is as large again.
            yield {**row, "data": None, "stroke_data": stroke_data}
