"""Loads the part of a board's history that its typed text needs: texts, and the times of all other strokes.

A player waits for this, and reading all strokes of a long lesson as shapes would take a second.
"""

from typing import Any

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from worker.canvases.board import DrawnBoard, DrawnPage, DrawnStroke
from worker.canvases.limits import MAX_PAGES, MAX_STROKES_OF_PAGE
from worker.canvases.replay.history import History
from worker.canvases.replay.timeline import PageShown
from worker.canvases.shapes import BLACK, WHITE, Lines, Shape
from worker.canvases.snapshots.strokes import WAS_SEEN
from worker.canvases.stored.json_text import parse_json
from worker.canvases.stored.stroke_data import shape_of
from worker.canvases.stored.stroke_fields import Undrawable

# Bytes of JSON: the longest text that is drawn, with every letter escaped.
_MAX_BYTES_OF_TEXT = 100_000

_BOARD = text("SELECT status, actual_end FROM boards WHERE id = :session_id")
_PAGES = text(
    """
    SELECT id, page_number, page_title FROM board_pages
     WHERE session_id = :session_id ORDER BY page_number, id LIMIT :most
    """
)
_TURNS = text("SELECT page_id, at FROM page_activations WHERE session_id = :session_id ORDER BY at, id")
_STROKES = text(
    f"""
    SELECT stroke.* FROM unnest(CAST(:pages AS integer[])) AS page (id)
     CROSS JOIN LATERAL (
           SELECT page_id, stroke_order, created_at, started_at, ended_at,
                  CASE WHEN is_deleted THEN deleted_at END AS deleted_at,
                  CASE WHEN stroke_type = 'text' AND octet_length(stroke_data::text) <= :most_bytes
                       THEN stroke_data::text END AS data
             FROM page_strokes WHERE page_id = page.id AND {WAS_SEEN}
            ORDER BY page_strokes.stroke_order, page_strokes.id LIMIT :most) AS stroke
    """  # noqa: S608 - a condition of our own
)
# Stands for everything that is not text: only its times matter.
_DRAWN = Lines((np.array([[0.0, 0.0], [1.0, 0.0]]),), 1.0, BLACK)


def load_typed_history(session: Session, session_id: int) -> History | None:
    """The history of a session's board, with a short line for each stroke but text; None when nothing was drawn."""
    board = session.execute(_BOARD, {"session_id": session_id}).one_or_none()
    rows = session.execute(_PAGES, {"session_id": session_id, "most": MAX_PAGES}).all()
    strokes: dict[int, list[DrawnStroke]] = {row.id: [] for row in rows}
    values = {"pages": list(strokes), "most_bytes": _MAX_BYTES_OF_TEXT, "most": MAX_STROKES_OF_PAGE}
    for stroke in session.execute(_STROKES, values):
        shape = _shape(stroke.data)
        if shape is not None:
            strokes[stroke.page_id].append(_drawn(shape, stroke))
    if board is None or not any(strokes.values()):
        return None
    places = {row.id: place for place, row in enumerate(rows)}
    turns = session.execute(_TURNS, {"session_id": session_id})
    return History(
        DrawnBoard("", tuple(_page(row, strokes[row.id]) for row in rows)),
        tuple(PageShown(turn.at, places[turn.page_id]) for turn in turns if turn.page_id in places),
        board.actual_end if board.status == "completed" else None,
        {},
    )


def _shape(data: str | None) -> Shape | None:
    """The shape of a text, the placeholder line for any other stroke; None for a text of which nothing is visible."""
    if data is None:
        return _DRAWN
    try:
        return shape_of("text", parse_json(data))[0]
    except (Undrawable, ValueError, RecursionError):
        return None


def _drawn(shape: Shape, row: Any) -> DrawnStroke:
    return DrawnStroke(shape, row.stroke_order, row.created_at, row.started_at, row.ended_at, row.deleted_at)


def _page(row: Any, strokes: list[DrawnStroke]) -> DrawnPage:
    title = row.page_title if row.page_title and row.page_title.strip() else f"Page {row.page_number}"
    return DrawnPage(row.page_number, title, 1, 1, WHITE, tuple(strokes), page_id=row.id)
