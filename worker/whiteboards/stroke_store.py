"""Append strokes to a page in an order that the server assigns, without gaps or duplicates under concurrency."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from models.whiteboards import WhiteboardPage
from worker.access.callers import Caller, UserCaller
from worker.access.session_role import SessionRole
from worker.errors import Conflict, Forbidden, InvalidInput
from worker.whiteboards.board_bytes import BoardBounds
from worker.whiteboards.pages import find_page
from worker.whiteboards.stroke_permissions import check_may_draw, drawer_of
from worker.whiteboards.stroke_validation import NewStroke, accepted_stroke

# Some hours of uninterrupted drawing; it bounds the cost of one board.
MAX_STROKES_OF_A_PAGE = 50_000

# Points of one request. As many bytes of plain points as a request may have (api.app) are fewer, but a short path of
# arcs has twenty times as many.
MAX_POINTS_OF_A_BATCH = 400_000

# One writer per page at a time: the highest order read after locking stays the highest until this transaction ends.
_LOCK = text("SELECT FROM whiteboard_pages WHERE id = :page_id FOR NO KEY UPDATE")
# Two reads at the ends of the index, which separates deleted strokes, instead of reading every stroke of the page.
_HIGHEST_AND_PLACED = text(
    """
    SELECT page.highest, stroke.client_id, stroke.id, stroke.stroke_order
      FROM (SELECT coalesce(greatest(
                (SELECT max(stroke_order) FROM whiteboard_canvas_data WHERE page_id = :page_id AND is_deleted),
                (SELECT max(stroke_order) FROM whiteboard_canvas_data WHERE page_id = :page_id AND NOT is_deleted)
            ), 0) AS highest) AS page
      LEFT JOIN whiteboard_canvas_data AS stroke
             ON stroke.page_id = :page_id AND stroke.client_id = ANY(:client_ids)
    """
)
# One parameter for all strokes: a row of parameters per stroke cost more than the rest of the statement.
_INSERT = text(
    """
    WITH page AS (UPDATE whiteboard_pages SET stroke_bytes = stroke_bytes + :bytes
                   WHERE id = :page_id RETURNING stroke_bytes)
    INSERT INTO whiteboard_canvas_data (page_id, session_id, user_id, profile_id, profile_type,
                                        client_id, stroke_type, stroke_data, stroke_order, started_at, ended_at)
    SELECT :page_id, :session_id, :user_id, :profile_id, :profile_type,
           client_id, stroke_type, stroke_data, stroke_order, started_at, ended_at
      FROM json_to_recordset(CAST(:strokes AS json)) AS stroke (
               client_id varchar, stroke_type varchar, stroke_data jsonb, stroke_order integer,
               started_at timestamptz, ended_at timestamptz)
    RETURNING client_id, id, stroke_order, (SELECT stroke_bytes FROM page) AS page_bytes,
              (SELECT coalesce(sum(stroke_bytes), 0) FROM whiteboard_pages
                WHERE session_id = :session_id AND id <> :page_id) AS other_bytes
    """
)


@dataclass(frozen=True)
class PlacedStroke:
    """The position of a stroke on its page; `id` and order are the same when it is sent again."""

    client_id: str
    id: int
    stroke_order: int


@dataclass(frozen=True)
class AppendResult:
    """The stored strokes, each once, and why others were rejected: the messages by index in the batch."""

    placed: list[PlacedStroke]
    refused: dict[int, str]


def append_strokes(
    session: Session,
    caller: Caller,
    page_id: int,
    strokes: Sequence[NewStroke],
    bounds: BoardBounds = BoardBounds(),  # frozen
) -> AppendResult:
    """Append the strokes that the page lacks, and return the position of each.

    Only the invalid or forbidden strokes of a batch are rejected: a client that retried the whole batch because of one
    would never succeed.

    A completed session still accepts strokes: those of a phone that was offline when the lesson ended arrive late.
    Raises NotFound, Forbidden when every stroke is rejected for lack of permission, Conflict when the session was
    cancelled or the page has too many strokes, TooLarge when the page or the board would exceed `bounds`.
    """
    page, board, role = find_page(session, caller, page_id)
    drawer = drawer_of(role)
    accepted, refused = _accepted(drawer, board.student_permissions, strokes)
    if board.status == "cancelled":
        raise Conflict(f"Session {board.id} is cancelled; nobody can draw on it.")
    session.execute(_LOCK, {"page_id": page_id})
    highest, placed = _highest_and_placed(session, page_id, accepted)
    new = {stroke.client_id: stroke for stroke in reversed(accepted) if stroke.client_id not in placed}
    if new:
        rows = _insert(session, page, caller, drawer, _numbered(page, [*reversed(new.values())], highest))
        bounds.check(page.id, page=rows[0].page_bytes, others=int(rows[0].other_bytes))
        placed |= {row.client_id: PlacedStroke(row.client_id, row.id, row.stroke_order) for row in rows}
    return AppendResult(
        [placed[client_id] for client_id in dict.fromkeys(stroke.client_id for stroke in accepted)], refused
    )


def _accepted(
    drawer: SessionRole, permissions: Mapping[str, Any], strokes: Sequence[NewStroke]
) -> tuple[list[NewStroke], dict[int, str]]:
    """The strokes to store, in the stored format, and the messages about rejected ones by index."""
    accepted: list[NewStroke] = []
    refused: dict[int, str] = {}
    forbidden: Forbidden | None = None
    points = 0
    for index, stroke in enumerate(strokes):
        try:
            check_may_draw(drawer, permissions, [stroke.stroke_type])
            if points > MAX_POINTS_OF_A_BATCH:
                reason = f"the strokes before it have {points} points; send it in another request"
                raise InvalidInput(f"Stroke {stroke.client_id}: {reason}.")
            accepted.append(accepted_stroke(stroke))
            points += len(accepted[-1].stroke_data.get("points") or ())
        except (Forbidden, InvalidInput) as error:
            refused[index] = error.detail
            if isinstance(error, Forbidden):
                forbidden = error
    if forbidden and not accepted:
        raise forbidden
    return accepted, refused


def _highest_and_placed(
    session: Session, page_id: int, strokes: Sequence[NewStroke]
) -> tuple[int, dict[str, PlacedStroke]]:
    values = {"page_id": page_id, "client_ids": [stroke.client_id for stroke in strokes]}
    rows = session.execute(_HIGHEST_AND_PLACED, values).all()
    placed = {row.client_id: PlacedStroke(row.client_id, row.id, row.stroke_order) for row in rows if row.client_id}
    return rows[0].highest, placed


def _numbered(page: WhiteboardPage, strokes: Sequence[NewStroke], highest: int) -> list[dict[str, object]]:
    """The rows of new strokes. Raises Conflict when the page cannot take them."""
    if highest + len(strokes) > MAX_STROKES_OF_A_PAGE:
        raise Conflict(f"Page {page.id} has {highest} strokes and cannot take {len(strokes)} more; add a page.")
    return [
        {
            "client_id": stroke.client_id,
            "stroke_type": stroke.stroke_type,
            "stroke_data": stroke.stroke_data,
            "stroke_order": order,
            "started_at": stroke.started_at,
            "ended_at": stroke.ended_at,
        }
        for order, stroke in enumerate(strokes, start=highest + 1)
    ]


def _insert(
    session: Session, page: WhiteboardPage, caller: Caller, drawer: SessionRole, strokes: Sequence[dict[str, object]]
) -> Sequence[Row[Any]]:
    # One by one: serialising two megabytes in one call would hold the GIL throughout.
    written = b"[" + b",".join(map(to_json, strokes)) + b"]"
    values = {
        "page_id": page.id,
        "session_id": page.session_id,
        "user_id": caller.user_id if isinstance(caller, UserCaller) else None,
        "profile_id": drawer.profile_id,
        "profile_type": drawer.profile_type,
        "strokes": written.decode(),
        "bytes": len(written),
    }
    return session.execute(_INSERT, values).all()
