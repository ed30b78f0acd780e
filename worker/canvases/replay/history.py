"""Loads everything that was ever drawn on a session's board from the database, for a replay."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from worker.canvases.board import DrawnBoard, DrawnPage, SkippedStroke
from worker.canvases.limits import MAX_PAGES
from worker.canvases.replay.timeline import PageShown
from worker.canvases.snapshots.digest import board_title
from worker.canvases.snapshots.strokes import WAS_SEEN, stream_strokes
from worker.canvases.stored.pages import read_page
from worker.errors import NotFound

_PAGES = text(
    """
    SELECT id, page_number, page_title, background_color, background_image FROM board_pages
     WHERE session_id = :session_id ORDER BY page_number, id LIMIT :most
    """
)
_ANY_STROKE = text(
    f"SELECT EXISTS (SELECT 1 FROM page_strokes WHERE session_id = :session_id AND {WAS_SEEN})"  # noqa: S608 - a condition of our own
)
_SHOWS_PAGES = text(
    """
    SELECT (SELECT count(DISTINCT page_id) FROM page_activations WHERE session_id = :session_id) > 1
        OR EXISTS (SELECT 1 FROM board_pages WHERE session_id = :session_id AND background_image <> '')
    """
)
_TURNS = text("SELECT page_id, at FROM page_activations WHERE session_id = :session_id ORDER BY at, id")
_BOARD = text("SELECT session_title, status, actual_end FROM boards WHERE id = :session_id")


@dataclass(frozen=True)
class History:
    """The board with deleted strokes, the page turns, and the end of the session, if it has ended.

    `images` are the `background_image` values of pages, by page index.
    """

    board: DrawnBoard
    turns: tuple[PageShown, ...]
    ended_at: datetime | None
    images: dict[int, str]

    @property
    def shows_pages(self) -> bool:
        """As the function `shows_pages`."""
        return bool(self.images) or len({turn.page for turn in self.turns}) > 1


def was_drawn_on(session: Session, session_id: int) -> bool:
    """Whether there is at least one stroke to replay."""
    return bool(session.scalar(_ANY_STROKE, {"session_id": session_id}))


def shows_pages(session: Session, session_id: int) -> bool:
    """Whether there is something to see without any stroke: an imported page, or a second page turned to."""
    return bool(session.scalar(_SHOWS_PAGES, {"session_id": session_id}))


def load_history(session: Session, session_id: int) -> History:
    """The history of a session's board, from one database snapshot. Raises NotFound.

    Must be the first query of its transaction."""
    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    board = session.execute(_BOARD, {"session_id": session_id}).one_or_none()
    if board is None:
        raise NotFound(f"There is no whiteboard session {session_id}.")
    rows = session.execute(_PAGES, {"session_id": session_id, "most": MAX_PAGES}).all()
    places = {row.id: place for place, row in enumerate(rows)}
    turns = session.execute(_TURNS, {"session_id": session_id})
    return History(
        DrawnBoard(board_title(board.session_title, session_id), tuple(_page(session, row) for row in rows)),
        tuple(PageShown(turn.at, places[turn.page_id]) for turn in turns if turn.page_id in places),
        board.actual_end if board.status == "completed" else None,
        {places[row.id]: row.background_image for row in rows if row.background_image},
    )


def _page(session: Session, row: Any) -> DrawnPage:
    skipped: list[SkippedStroke] = []
    document = {
        "page_id": row.id,
        "page_number": row.page_number,
        "page_title": row.page_title,
        "background_color": row.background_color,
        "strokes": stream_strokes(session, row.id, skipped, ever=True),
    }
    page = read_page(document, ever=True)
    return replace(page, skipped=(*skipped, *page.skipped))
