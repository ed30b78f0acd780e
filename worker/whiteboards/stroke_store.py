"""Strokes onto a page, in an order that the server gives: without gaps, without doubles, however many draw at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from models.whiteboards import Stroke, WhiteboardPage
from worker.access.callers import Caller, UserCaller
from worker.access.session_role import SessionRole
from worker.errors import Conflict, Forbidden, InvalidInput, NotFound
from worker.whiteboards.board_bytes import BoardBounds
from worker.whiteboards.pages import find_page
from worker.whiteboards.stroke_validation import NewStroke, accepted_stroke, check_may_draw

# Some hours of uninterrupted drawing; it bounds what one board can cost.
MOST_STROKES_OF_A_PAGE = 50_000

# One writer at a time per page: the highest order read next is the highest until this transaction ends.
_LOCK = text("SELECT FROM whiteboard_pages WHERE id = :page_id FOR NO KEY UPDATE")
# Two looks at the end of the index, which has deleted ones apart, instead of one at every stroke of the page.
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
# One parameter for all strokes: a row of parameters for each cost more than everything else about them.
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
    """Where a stroke is on its page; `id` and order are the same when it is sent again."""

    client_id: str
    id: int
    stroke_order: int


@dataclass(frozen=True)
class Appended:
    """Where the strokes are, each once, and why others were refused: the sentence by their index in the batch."""

    placed: list[PlacedStroke]
    refused: dict[int, str]


def append_strokes(
    session: Session,
    caller: Caller,
    page_id: int,
    strokes: Sequence[NewStroke],
    bounds: BoardBounds = BoardBounds(),  # frozen
) -> Appended:
    """Append the strokes that the page does not have yet, and say where each of them is.

    A stroke that cannot be stored, or that its drawer has no right to, is refused by itself: a client that sends the
    others again for its sake would never get rid of them.

    A completed session still takes strokes: those of a phone that was offline when the lesson ended come late.
    Raises NotFound, Forbidden when every stroke is refused for the lack of a right, Conflict when the session was
    cancelled or the page has too many strokes, TooLarge when the page or the board would have more bytes than `bounds`.
    """
    page, found, standing = find_page(session, caller, page_id)
    drawer = _drawer(standing)
    accepted, refused = _accepted(drawer, found.student_permissions, strokes)
    if found.status == "cancelled":
        raise Conflict(f"Session {found.id} is cancelled; nobody can draw on it.")
    session.execute(_LOCK, {"page_id": page_id})
    highest, placed = _highest_and_placed(session, page_id, accepted)
    new = {stroke.client_id: stroke for stroke in reversed(accepted) if stroke.client_id not in placed}
    if new:
        placed |= _insert(session, page, caller, drawer, [*reversed(new.values())], highest, bounds)
    return Appended(
        [placed[client_id] for client_id in dict.fromkeys(stroke.client_id for stroke in accepted)], refused
    )


def delete_stroke(session: Session, caller: Caller, page_id: int, client_id: str) -> None:
    """Mark a stroke deleted now (undo); deleted already, nothing happens.

    The host may take back any stroke, others their own. Raises NotFound, Forbidden.
    """
    _page, _found, standing = find_page(session, caller, page_id)
    drawer = _drawer(standing)
    stroke = session.scalar(select(Stroke).where(Stroke.page_id == page_id, Stroke.client_id == client_id))
    if stroke is None:
        raise NotFound(f"Page {page_id} has no stroke {client_id}.")
    if not drawer.full and (stroke.profile_id, stroke.profile_type) != (drawer.profile_id, drawer.profile_type):
        raise Forbidden("Only the host may take back a stroke of somebody else's.")
    # Asked once more by the statement: a clear at the same moment may have been first, and its time is the one.
    session.execute(
        update(Stroke)
        .where(Stroke.id == stroke.id, Stroke.is_deleted.is_(False))
        .values(is_deleted=True, deleted_at=func.clock_timestamp())
    )


def _accepted(
    drawer: SessionRole, permissions: Mapping[str, Any], strokes: Sequence[NewStroke]
) -> tuple[list[NewStroke], dict[int, str]]:
    """The strokes to store, in the stored shape, and the sentences about the others by their index."""
    accepted: list[NewStroke] = []
    refused: dict[int, str] = {}
    forbidden: Forbidden | None = None
    for index, stroke in enumerate(strokes):
        try:
            check_may_draw(drawer, permissions, [stroke.stroke_type])
            accepted.append(accepted_stroke(stroke))
        except (Forbidden, InvalidInput) as error:
            refused[index] = error.detail
            if isinstance(error, Forbidden):
                forbidden = error
    if forbidden and not accepted:
        raise forbidden
    return accepted, refused


def _drawer(standing: SessionRole | None) -> SessionRole:
    if standing is None:
        raise Forbidden("Only those who take part in this session can draw on it.")
    return standing


def _highest_and_placed(
    session: Session, page_id: int, strokes: Sequence[NewStroke]
) -> tuple[int, dict[str, PlacedStroke]]:
    values = {"page_id": page_id, "client_ids": [stroke.client_id for stroke in strokes]}
    found = session.execute(_HIGHEST_AND_PLACED, values).all()
    placed = {row.client_id: PlacedStroke(row.client_id, row.id, row.stroke_order) for row in found if row.client_id}
    return found[0].highest, placed


def _insert(
    session: Session,
    page: WhiteboardPage,
    caller: Caller,
    drawer: SessionRole,
    strokes: Sequence[NewStroke],
    highest: int,
    bounds: BoardBounds,
) -> dict[str, PlacedStroke]:
    if highest + len(strokes) > MOST_STROKES_OF_A_PAGE:
        raise Conflict(f"Page {page.id} has {highest} strokes and cannot take {len(strokes)} more; add a page.")
    rows = [
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
    # One by one: writing two megabytes at once would keep other threads waiting for all of it.
    written = b"[" + b",".join(map(to_json, rows)) + b"]"
    values = {
        "page_id": page.id,
        "session_id": page.session_id,
        "user_id": caller.user_id if isinstance(caller, UserCaller) else None,
        "profile_id": drawer.profile_id,
        "profile_type": drawer.profile_type,
        "strokes": written.decode(),
        "bytes": len(written),
    }
    inserted = session.execute(_INSERT, values).all()
    bounds.check(page.id, page=inserted[0].page_bytes, others=int(inserted[0].other_bytes))
    return {row.client_id: PlacedStroke(row.client_id, row.id, row.stroke_order) for row in inserted}
