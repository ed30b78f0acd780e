"""The events of a session, in order: appended, never changed."""

from sqlalchemy.orm import Session

from models.whiteboards import WhiteboardEvent
from worker.access.session_role import SessionRole


def record_event(
    session: Session, session_id: int, kind: str, role: SessionRole | None, *, page_id: int | None = None
) -> WhiteboardEvent:
    """Append an event by the profile that acts; `page_id` is the activated page of a `page` event.

    Without a role, the worker acted.
    """
    event = WhiteboardEvent(
        session_id=session_id,
        kind=kind,
        profile_id=role.profile_id if role else None,
        profile_type=role.profile_type if role else None,
        page_id=page_id,
    )
    session.add(event)
    session.flush()
    return event
