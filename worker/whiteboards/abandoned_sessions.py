"""Close sessions that nobody ended, once nothing has happened in them for long enough."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from models.whiteboards import WhiteboardSession
from worker.whiteboards.lifecycle import complete_session

# Strokes and events reference the session's row: while it is locked FOR UPDATE none can be added, and a session to
# which one is being added is skipped.
_CANDIDATES = text(
    """
    SELECT board.id FROM whiteboard_sessions board
     WHERE board.status = 'in_progress' AND board.id > :after
       AND coalesce(board.actual_start, board.created_at) < :quiet_since
       AND (board.scheduled_end IS NULL OR board.scheduled_end <= :now)
       AND NOT EXISTS (SELECT FROM lessons WHERE id = board.schedule_id AND ends_at > :now)
       AND NOT EXISTS (SELECT FROM whiteboard_events WHERE session_id = board.id AND at >= :quiet_since)
       AND NOT EXISTS (SELECT FROM whiteboard_canvas_data WHERE session_id = board.id AND created_at >= :quiet_since)
     ORDER BY board.id LIMIT :most FOR UPDATE OF board SKIP LOCKED
    """
)
# Checked again, because the first query may be older than the lock; undone strokes count as activity too.
_LAST_SIGNS = text(
    """
    SELECT id, last_sign FROM (
        SELECT board.id, greatest(coalesce(board.actual_start, board.created_at),
               (SELECT max(at) FROM whiteboard_events WHERE session_id = board.id),
               (SELECT max(greatest(created_at, deleted_at)) FROM whiteboard_canvas_data WHERE session_id = board.id)
            ) AS last_sign
          FROM whiteboard_sessions board WHERE board.id = ANY(:ids)) found
     WHERE last_sign < :quiet_since ORDER BY id
    """
)


@dataclass(frozen=True)
class ClosedSessions:
    """The closed sessions, their lessons, and the id after which the next batch starts (None: this was the last)."""

    session_ids: tuple[int, ...]
    schedule_ids: tuple[int, ...]
    last: int | None

    @property
    def sessions(self) -> int:
        """How many sessions were closed."""
        return len(self.session_ids)


def close_left_sessions(
    session: Session, *, quiet_since: datetime, now: datetime, after: int, most: int
) -> ClosedSessions:
    """Of at most `most` sessions with ids above `after`, end the abandoned ones.

    Abandoned: in progress, past its scheduled end and its lesson, and without an event or a stroke since `quiet_since`.
    Its end is the time of its last activity, not now: a lesson of one hour must not appear to have lasted three.
    """
    values = {"quiet_since": quiet_since, "now": now}
    ids = session.scalars(_CANDIDATES, {**values, "after": after, "most": most}).all()
    schedule_ids = set()
    left = session.execute(_LAST_SIGNS, {"ids": list(ids), "quiet_since": quiet_since}).all() if ids else []
    for session_id, last_sign in left:
        board = session.get_one(WhiteboardSession, session_id)
        complete_session(session, board, None, at=last_sign)
        if board.schedule_id is not None:
            schedule_ids.add(board.schedule_id)
    return ClosedSessions(
        tuple(row.id for row in left), tuple(sorted(schedule_ids)), ids[-1] if len(ids) == most else None
    )
