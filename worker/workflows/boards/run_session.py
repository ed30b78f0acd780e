"""Start and end a whiteboard session together with its lesson, and order snapshots of its board at the end.

The session is locked before its lesson, here and everywhere: opposite orders would deadlock.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from models.whiteboards import WhiteboardSession
from worker.access.callers import Caller
from worker.bookings.reading import booking_status
from worker.bookings.statuses import LIVE
from worker.errors import Conflict
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.board_orders import SnapshotSession
from worker.schedules.advance import begin_lesson, complete_boarded_lessons
from worker.whiteboards import lifecycle
from worker.whiteboards.abandoned_sessions import ClosedSessions, close_left_sessions


def start_session(session: Session, caller: Caller, session_id: int) -> WhiteboardSession:
    """Start the session, and its lesson if that has not started.

    Raises the errors of worker.whiteboards.lifecycle, and Conflict when its booking has ended.
    """
    board = lifecycle.start_session(session, caller, session_id)
    if lifecycle.has_just_started(session, session_id):
        status = booking_status(session, board.booking_id)
        if board.booking_id is not None and status not in LIVE:
            raise Conflict(f"Booking {board.booking_id} is {status}; its sessions cannot be started any more.")
    if board.schedule_id is not None:
        begin_lesson(session, board.schedule_id)
    return board


def end_session(session: Session, caller: Caller, session_id: int) -> WhiteboardSession:
    """End the session, complete its lesson with its attendance, and order snapshots of its board.

    Raises the errors of worker.whiteboards.lifecycle.
    """
    board = lifecycle.end_session(session, caller, session_id)
    if lifecycle.has_just_ended(session, session_id):
        enqueue(session, SnapshotSession(session_id), principal=caller.principal)
    if board.schedule_id is not None:
        complete_boarded_lessons(session, [board.schedule_id])
    return board


def close_sessions(session: Session, *, quiet_since: datetime, now: datetime, after: int, most: int) -> ClosedSessions:
    """End sessions that were left running, complete their lessons, and order snapshots of their boards."""
    closed = close_left_sessions(session, quiet_since=quiet_since, now=now, after=after, most=most)
    session.flush()
    complete_boarded_lessons(session, closed.schedule_ids)
    for session_id in closed.session_ids:
        enqueue(session, SnapshotSession(session_id))
    return closed
