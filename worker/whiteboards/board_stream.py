"""Write a board as JSON row by row, so that it is never completely in memory."""

import json
from dataclasses import dataclass
from typing import IO

from sqlalchemy import Select, select, text
from sqlalchemy.orm import Session

from models.whiteboards import WhiteboardPage
from worker.whiteboards.board import page_document

# A server-side cursor that fetches this many rows at once: a row may have a quarter of a megabyte.
_STREAMED = {"stream_results": True, "yield_per": 50}

# As text: the stored JSON is copied without being parsed and serialized again.
_STROKES = text(
    """
    SELECT stroke_order, id,
           '{"stroke_type":' || to_json(stroke_type)::text || ',"stroke_order":' || stroke_order::text
           || ',"stroke_data":' || stroke_data::text || '}' AS document
      FROM whiteboard_canvas_data
     WHERE page_id = :page_id AND NOT is_deleted AND (stroke_order, id) > (:stroke_order, :id)
     ORDER BY stroke_order, id LIMIT :most
    """
)


_FIRST = -(2**31)


@dataclass(frozen=True)
class BoardPosition:
    """The stroke after which reading continues."""

    page_number: int
    stroke_order: int = _FIRST
    id: int = 0


def write_board(
    session: Session, out: IO[bytes], session_id: int, *, page_id: int | None, after: BoardPosition | None, most: int
) -> BoardPosition | None:
    """Write `[{page_id, …, "strokes": […]}]` of a session, or of one page, with at most `most` strokes after `after`.

    Returns where to continue, None at the end. The transaction should see one snapshot (REPEATABLE READ).
    """
    left = most
    out.write(b"[")
    for number, page in enumerate(session.scalars(_pages(session_id, page_id, after)).all()):
        begin = after if after and page.page_number == after.page_number else BoardPosition(page.page_number)
        last, more = begin, False
        out.write((b"," if number else b"") + _head(page))
        with session.execute(_STROKES, _values(page.id, begin, left + 1), execution_options=_STREAMED) as rows:
            for row in rows:
                if left == 0:
                    more = True
                    break
                out.write((b"" if last is begin else b",") + row.document.encode())
                last = BoardPosition(page.page_number, row.stroke_order, row.id)
                left -= 1
        out.write(b"]}")
        if more:
            out.write(b"]")
            return last
    out.write(b"]")
    return None


def _pages(session_id: int, page_id: int | None, after: BoardPosition | None) -> Select[WhiteboardPage]:
    pages = select(WhiteboardPage).where(WhiteboardPage.session_id == session_id)
    if page_id is not None:
        pages = pages.where(WhiteboardPage.id == page_id)
    if after is not None:
        pages = pages.where(WhiteboardPage.page_number >= after.page_number)
    return pages.order_by(WhiteboardPage.page_number)


def _head(page: WhiteboardPage) -> bytes:
    return json.dumps(page_document(page)).encode().removesuffix(b"}") + b',"strokes":['


def _values(page_id: int, after: BoardPosition, most: int) -> dict[str, int]:
    return {"page_id": page_id, "stroke_order": after.stroke_order, "id": after.id, "most": most}
