"""The tutor hears of a request, and who made it hears of the answer; in the transaction that stores either."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.bookings import SessionRequest
from models.people import ParentProfile, StudentProfile, TutorProfile
from models.people import User as Person
from worker.access.names import FULL_NAME
from worker.reminders.planning.notify import tell

_PROFILES: Mapping[str, Any] = {"tutor": TutorProfile, "student": StudentProfile, "parent": ParentProfile}


def tell_of_request(session: Session, request: SessionRequest, *, now: datetime) -> None:
    """Tell the tutor that somebody asks for lessons."""
    tutor_user_id, _ = _user(session, "tutor", request.tutor_id)
    _, requester = _user(session, request.requester_type, request.requester_id)
    data = {"requester": requester, "student": request.student_name, "message": request.message}
    _tell(session, "request-received", request, tutor_user_id, data, now)


def tell_of_answer(session: Session, request: SessionRequest, *, now: datetime) -> None:
    """Tell who asked that the tutor has accepted or rejected, as the request's status says."""
    user_id, _ = _user(session, request.requester_type, request.requester_id)
    _, tutor = _user(session, "tutor", request.tutor_id)
    # Who asked for themselves need not be told for whom.
    data = {"tutor": tutor, "student": request.student_name if request.requester_type == "parent" else None}
    _tell(session, f"request-{request.status}", request, user_id, data, now)


def _tell(
    session: Session, kind: str, request: SessionRequest, user_id: int | None, data: Mapping[str, Any], now: datetime
) -> None:
    if user_id is None:
        return
    whole = {"request_id": request.id, "package_name": request.package_name, **data}
    tell(session, kind, user_ids=[user_id], data=whole, key=f"{kind}:{request.id}", now=now)


def _user(session: Session, profile_type: str, profile_id: int) -> tuple[int | None, str]:
    """Whose profile it is, and their name. Requesters have no foreign key: the profile may be gone."""
    profile = _PROFILES[profile_type]
    statement = select(Person.id, FULL_NAME).join(profile, profile.user_id == Person.id)
    row = session.execute(statement.where(profile.id == profile_id)).one_or_none()
    return (row[0], row[1]) if row is not None else (None, "")
