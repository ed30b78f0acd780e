"""Everything that was ever drawn on the board of a session, out of the database, ready to be replayed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from models.whiteboards import WhiteboardSession
from worker.canvases.limits import MOST_PAGES, MOST_STROKES_OF_PAGE
from worker.canvases.replay.timeline import PageShown
from worker.canvases.snapshots.digest import board_title
from worker.canvases.snapshots.reading import MOST_BYTES_OF_PAGE, MOST_BYTES_OF_STROKE
from worker.canvases.stored.pages import Board, Page, Skipped, read_page
from worker.errors import NotFound

_BATCH = 500

_PAGES = text(
    """
    SELECT id, page_number, page_title, background_color, background_image FROM whiteboard_pages
     WHERE session_id = :session_id ORDER BY page_number, id LIMIT :most
    """
)
# A row that says deleted and not when is of the platform's early days: nobody knows how long it was seen.
_WAS_SEEN = "(NOT is_deleted OR deleted_at IS NOT NULL)"
# As text: what is too large never comes over, and what is nested too deep for the parser breaks its own stroke only.
_STROKES = text(
    f"""
    SELECT id, stroke_type, stroke_order, created_at, started_at, ended_at,
           CASE WHEN is_deleted THEN deleted_at END AS deleted_at, octet_length(stroke_data::text) AS size,
           CASE WHEN octet_length(stroke_data::text) <= :most_bytes THEN stroke_data::text END AS data
      FROM whiteboard_canvas_data WHERE page_id = :page_id AND {_WAS_SEEN}
     ORDER BY stroke_order, id LIMIT :most
    """  # noqa: S608 - a condition of our own
)
_ANY_STROKE = text(
    f"SELECT EXISTS (SELECT 1 FROM whiteboard_canvas_data WHERE session_id = :session_id AND {_WAS_SEEN})"  # noqa: S608 - as above
)
_TURNS = text(
    "SELECT page_id, at FROM whiteboard_events WHERE session_id = :session_id AND kind = 'page' ORDER BY at, id"
)


@dataclass(frozen=True)
class History:
    """The board with what was taken away again, who turned to which page when, and when the session ended, if it has.

    `images` are the `background_image` of pages, by their index.
    """

    board: Board
    turns: tuple[PageShown, ...]
    ended_at: datetime | None
    images: dict[int, str]


def was_drawn_on(session: Session, session_id: int) -> bool:
    """Whether there is a single stroke to replay."""
    return bool(session.scalar(_ANY_STROKE, {"session_id": session_id}))


def load_history(session: Session, session_id: int) -> History:
    """The history of a session's board, all of one moment. Must come first in its transaction. Raises NotFound."""
    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    found = session.get(WhiteboardSession, session_id)
    if found is None:
        raise NotFound(f"There is no whiteboard session {session_id}.")
    rows = session.execute(_PAGES, {"session_id": session_id, "most": MOST_PAGES}).all()
    places = {row.id: place for place, row in enumerate(rows)}
    turns = session.execute(_TURNS, {"session_id": session_id})
    return History(
        Board(board_title(found.session_title, session_id), tuple(_page(session, row) for row in rows)),
        tuple(PageShown(turn.at, places[turn.page_id]) for turn in turns if turn.page_id in places),
        found.actual_end if found.status == "completed" else None,
        {places[row.id]: row.background_image for row in rows if row.background_image},
    )


def _page(session: Session, row: Any) -> Page:
    skipped: list[Skipped] = []
    document = {
        "page_id": row.id,
        "page_number": row.page_number,
        "page_title": row.page_title,
        "background_color": row.background_color,
        "strokes": list(_strokes(session, row.id, skipped)),
    }
    page = read_page(document)
    return replace(page, skipped=(*skipped, *page.skipped))


def _strokes(session: Session, page_id: int, skipped: list[Skipped]) -> Iterator[dict[str, Any]]:
    values = {"page_id": page_id, "most_bytes": MOST_BYTES_OF_STROKE, "most": MOST_STROKES_OF_PAGE + 1}
    size = 0
    with session.execute(_STROKES, values, execution_options={"yield_per": _BATCH}) as rows:
        for row in rows.mappings():
            if row["data"] is None:
                skipped.append(Skipped(row["stroke_order"], f"its data has {row['size']} bytes"))
                continue
            size += row["size"]
            if size > MOST_BYTES_OF_PAGE:
                skipped.append(
                    Skipped(row["stroke_order"], f"it and all after it: more than {MOST_BYTES_OF_PAGE} bytes")
                )
                return
            try:
                yield {**row, "stroke_data": json.loads(row["data"])}
            except (ValueError, RecursionError):
                skipped.append(Skipped(row["stroke_order"], "its data is nested too deep, or has a number too long"))
