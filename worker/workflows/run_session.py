"""Start and end a whiteboard session together with the lesson that it is, and have its board drawn at the end.

The session is locked first and its lesson second, here and everywhere: two in opposite order would wait for each other.
"""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.bookings import Booking
from models.whiteboards import WhiteboardSession
from worker.access.callers import Caller
from worker.bookings.statuses import LIVE
from worker.errors import Conflict
from worker.jobs.enqueue import enqueue
from worker.jobs.orders import SnapshotSession
from worker.schedules.advance import begin_lesson, complete_boarded_lessons
from worker.whiteboards import lifecycle
from worker.whiteboards.abandoned_sessions import Closed, close_left_sessions

# now() stands still within a transaction: ended before, and told so once more, it has another time.
_STARTED_NOW = select(WhiteboardSession.actual_start == func.now())
_ENDED_NOW = select(WhiteboardSession.actual_end == func.now())


def start_session(session: Session, caller: Caller, session_id: int) -> WhiteboardSession:
    """Begin the session, and its lesson if that has not begun.

    Raises as worker.whiteboards.lifecycle does, and Conflict when its booking has ended: nobody waits there any more.
    """
    found = lifecycle.start_session(session, caller, session_id)
    if session.scalar(_STARTED_NOW.where(WhiteboardSession.id == session_id)):
        status = session.scalar(select(Booking.status).where(Booking.id == found.booking_id))
        if found.booking_id is not None and status not in LIVE:
            raise Conflict(f"Booking {found.booking_id} is {status}; its sessions cannot be started any more.")
    if found.schedule_id is not None:
        begin_lesson(session, found.schedule_id)
    return found


def end_session(session: Session, caller: Caller, session_id: int) -> WhiteboardSession:
    """End the session, complete its lesson with its attendance, and have its board drawn.

    Raises as worker.whiteboards.lifecycle does.
    """
    found = lifecycle.end_session(session, caller, session_id)
    if session.scalar(_ENDED_NOW.where(WhiteboardSession.id == session_id)):
        enqueue(session, SnapshotSession(session_id), principal=caller.principal)
    if found.schedule_id is not None:
        complete_boarded_lessons(session, [found.schedule_id])
    return found


def close_sessions(session: Session, *, quiet_since: datetime, now: datetime, after: int, most: int) -> Closed:
    """End sessions that were left running, complete their lessons, and have their boards drawn."""
    closed = close_left_sessions(session, quiet_since=quiet_since, now=now, after=after, most=most)
    session.flush()
    complete_boarded_lessons(session, closed.schedule_ids)
    for session_id in closed.session_ids:
        enqueue(session, SnapshotSession(session_id))
    return closed
