"""Boards that have ended; none ends before its last stroke."""

from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.orm import Session

# A board that nobody ended was closed at its last activity, before these strokes were known.
_PUT_OFF_ENDS = text(
    """
    UPDATE whiteboard_sessions board
       SET actual_end = last.at
      FROM (SELECT session_id, max(created_at) AS at FROM whiteboard_canvas_data
             WHERE session_id = ANY(:sessions) GROUP BY session_id) AS last
     WHERE board.id = last.session_id AND board.status = 'completed' AND board.actual_end < last.at
       AND EXISTS (SELECT FROM whiteboard_events event
                    WHERE event.session_id = board.id AND event.kind = 'end' AND event.profile_id IS NULL)
    """
)
# As when the board was closed.
_CORRECT_ENDS = text(
    """
    UPDATE whiteboard_sessions board
       SET actual_end = greatest(coalesce(board.actual_start, board.created_at),
               (SELECT max(at) FROM whiteboard_events WHERE session_id = board.id AND kind <> 'end'),
               (SELECT max(greatest(created_at, deleted_at)) FROM whiteboard_canvas_data
                 WHERE session_id = board.id))
     WHERE board.id = ANY(:sessions) AND board.status = 'completed'
       AND EXISTS (SELECT FROM whiteboard_events event
                    WHERE event.session_id = board.id AND event.kind = 'end' AND event.profile_id IS NULL)
    """
)
_COMPLETED = text("SELECT id FROM whiteboard_sessions WHERE id = ANY(:sessions) AND status = 'completed' ORDER BY id")


def correct_ends(session: Session, session_ids: Collection[int]) -> None:
    """Move the ends of boards that nobody ended to their last activity, whose time was corrected. Idempotent."""
    session.execute(_CORRECT_ENDS, {"sessions": sorted(session_ids)})


def completed_boards(session: Session, session_ids: Collection[int]) -> list[int]:
    """Those of the boards that have ended; an end before the last stroke is moved to it."""
    session.execute(_PUT_OFF_ENDS, {"sessions": sorted(session_ids)})
    return list(session.scalars(_COMPLETED, {"sessions": list(session_ids)}))
