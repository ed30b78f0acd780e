"""Read requests for lessons: those a tutor received, and those a requester made."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, false, or_, select, true
from sqlalchemy.orm import Session

from models.bookings import SessionRequest
from worker.access.callers import Caller, Operator
from worker.errors import NotFound


def visible_requests(caller: Caller) -> ColumnElement[bool]:
    """A predicate on SessionRequest: the requests addressed to the calling tutor, and those the caller made.

    A child does not see a parent's request: it contains the parent's phone number and message.
    """
    if isinstance(caller, Operator):
        return true()
    conditions: list[ColumnElement[bool]] = []
    if caller.tutor_id is not None:
        conditions.append(SessionRequest.tutor_id == caller.tutor_id)
    for requester_type, requester_id in (("student", caller.student_id), ("parent", caller.parent_id)):
        if requester_id is not None:
            asked_as = SessionRequest.requester_type == requester_type
            conditions.append(and_(asked_as, SessionRequest.requester_id == requester_id))
    return or_(false(), *conditions)


def find_request(session: Session, caller: Caller, request_id: int, *, lock: bool = False) -> SessionRequest:
    """The request; with `lock`, locked until the transaction ends. Raises NotFound when the caller may not see it."""
    statement = select(SessionRequest).where(SessionRequest.id == request_id, visible_requests(caller))
    if lock:
        statement = statement.with_for_update(of=SessionRequest)
    request = session.scalar(statement)
    if request is None:
        raise NotFound(f"There is no request {request_id}.")
    return request


def list_requests(
    session: Session, caller: Caller, *, status: str | None, before: int | None, limit: int
) -> Sequence[SessionRequest]:
    """At most `limit` requests, newest first, all with ids below `before` (None: from the newest)."""
    statement = select(SessionRequest).where(visible_requests(caller))
    if status is not None:
        statement = statement.where(SessionRequest.status == status)
    if before is not None:
        statement = statement.where(SessionRequest.id < before)
    return session.scalars(statement.order_by(SessionRequest.id.desc()).limit(limit)).all()
