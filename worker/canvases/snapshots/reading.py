"""A page out of the database, ready to be drawn: what it shows, and the digest and moment of exactly that."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from worker.canvases.limits import MOST_STROKES_OF_PAGE
from worker.canvases.snapshots.digest import PAGE_DIGEST, PageState
from worker.canvases.stored.json_text import parse_json
from worker.canvases.stored.pages import Skipped

# JSON text. Some hundred thousand points; a hand draws a few hundred.
MOST_BYTES_OF_STROKE = 8_000_000
# Together they become Python objects of about ten times that.
MOST_BYTES_OF_PAGE = 40_000_000
_BATCH = 500

_PAGE = text(
    f"""
    SELECT session_id, page_number, page_title, background_color, background_image, now() AS read_at,
           {PAGE_DIGEST} AS digest
      FROM whiteboard_pages page WHERE id = :page_id
    """  # noqa: S608 - an expression of our own
)
# As text: what is too large never comes over, and what is nested too deep for the parser breaks its own stroke only.
_STROKES = text(
    """
    SELECT id, stroke_type, stroke_order, octet_length(stroke_data::text) AS size,
           CASE WHEN octet_length(stroke_data::text) <= :most_bytes THEN stroke_data::text END AS data
      FROM whiteboard_canvas_data WHERE page_id = :page_id AND NOT is_deleted
     ORDER BY stroke_order, id LIMIT :most
    """
)


@dataclass(frozen=True)
class StoredPage:
    """A page as it is stored: `document` is what `read_page` takes, `skipped` what was left out of it."""

    session_id: int
    state: PageState
    read_at: datetime
    document: dict[str, Any]
    background_image: str | None
    skipped: tuple[Skipped, ...]


def load_page(session: Session, page_id: int) -> StoredPage | None:
    """The page with its strokes; None when there is none. Must come first in its transaction.

    All is of one moment: a digest of other strokes than those drawn would keep a wrong picture for good.
    """
    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    row = session.execute(_PAGE, {"page_id": page_id}).one_or_none()
    if row is None:
        return None
    skipped: list[Skipped] = []
    document = {
        "page_id": page_id,
        "page_number": row.page_number,
        "page_title": row.page_title,
        "background_color": row.background_color,
        "strokes": list(_strokes(session, page_id, skipped)),
    }
    state = PageState(page_id, row.page_number, row.page_title, row.digest)
    return StoredPage(row.session_id, state, row.read_at, document, row.background_image, tuple(skipped))


def _strokes(session: Session, page_id: int, skipped: list[Skipped]) -> Iterator[dict[str, Any]]:
    values = {"page_id": page_id, "most_bytes": MOST_BYTES_OF_STROKE, "most": MOST_STROKES_OF_PAGE + 1}
    size = 0
    with session.execute(_STROKES, values, execution_options={"yield_per": _BATCH}) as rows:
        for row in rows:
            if row.data is None:
                skipped.append(Skipped(row.stroke_order, f"its data has {row.size} bytes"))
                continue
            size += row.size
            if size > MOST_BYTES_OF_PAGE:
                skipped.append(Skipped(row.stroke_order, f"it and all after it: more than {MOST_BYTES_OF_PAGE} bytes"))
                return
            try:
                yield _stroke(row)
            except (ValueError, RecursionError):
                skipped.append(Skipped(row.stroke_order, "its data is nested too deep, or has a number too long"))


def _stroke(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "stroke_type": row.stroke_type,
        "stroke_order": row.stroke_order,
        "stroke_data": parse_json(row.data),
    }
