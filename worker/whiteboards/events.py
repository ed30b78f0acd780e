"""What happened in a session, in order: appended, never changed."""

from sqlalchemy.orm import Session

from models.whiteboards import WhiteboardEvent
from worker.access.session_role import SessionRole


def record_event(
    session: Session, session_id: int, kind: str, standing: SessionRole | None, *, page_id: int | None = None
) -> WhiteboardEvent:
    """Append an event by the profile that acts; `page_id` is the activated page of a `page` event.

    Without a role it is the worker that acts.
    """
    event = WhiteboardEvent(
        session_id=session_id,
        kind=kind,
        profile_id=standing.profile_id if standing else None,
        profile_type=standing.profile_type if standing else None,
        page_id=page_id,
    )
    session.add(event)
    session.flush()
    return event
