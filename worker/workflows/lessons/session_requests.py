"""Session requests: ask a tutor for lessons, or reject a request; both sides are notified in the same transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.bookings import SessionRequest
from models.people import PROFILE_TABLES
from models.people import User as Person
from worker.access.callers import Caller
from worker.access.names import name_of
from worker.bookings import requests
from worker.bookings.requests import NewRequest, ask_for_lessons
from worker.reminders.planning.notify import notify
from worker.schedules.requests import zone_of_tutor
from worker.workflows.lessons.requested_times import read_requested_times


def request_lessons(
    session: Session, caller: Caller, new: NewRequest, *, now: datetime, timezone: str
) -> SessionRequest:
    """Store the request of the calling student or parent, with `schedule` as it was sent, and notify the tutor.

    `timezone` is used when neither the request nor the tutor names one. Raises the errors of
    worker.bookings.requests.ask_for_lessons, and InvalidInput for times that are invalid or past.
    """
    request = ask_for_lessons(session, caller, new)
    read_requested_times(request.schedule, now=now, timezone=zone_of_tutor(session, new.tutor_id, timezone))
    notify_of_request(session, request, now=now)
    return request


def reject_request(session: Session, caller: Caller, request_id: int, *, now: datetime) -> SessionRequest:
    """Reject a request and notify its requester; idempotent. Raises errors of worker.bookings.requests."""
    request = requests.reject_request(session, caller, request_id, now=now)
    notify_of_answer(session, request, now=now)
    return request


def notify_of_request(session: Session, request: SessionRequest, *, now: datetime) -> None:
    """Notify the tutor of a request."""
    tutor_user_id, _ = _user(session, "tutor", request.tutor_id)
    _, requester = _user(session, request.requester_type, request.requester_id)
    learner = _learner(request)
    student = request.student_name if learner is None else learner
    data = {"requester": requester, "student": student, "message": request.message}
    _notify(session, "request-received", request, tutor_user_id, data, now)


def notify_of_answer(session: Session, request: SessionRequest, *, now: datetime) -> None:
    """Notify the requester that the tutor has accepted or rejected the request, according to its status."""
    user_id, _ = _user(session, request.requester_type, request.requester_id)
    _, tutor = _user(session, "tutor", request.tutor_id)
    data = {"tutor": tutor, "student": _learner(request)}
    _notify(session, f"request-{request.status}", request, user_id, data, now)


def _learner(request: SessionRequest) -> str | None:
    """The name of the child that a parent asked for (empty if missing); None for students who asked for themselves."""
    return (request.student_name or "") if request.requester_type == "parent" else None


def _notify(
    session: Session, kind: str, request: SessionRequest, user_id: int | None, data: Mapping[str, Any], now: datetime
) -> None:
    if user_id is None:
        return
    whole = {"request_id": request.id, "package_name": request.package_name, **data}
    notify(session, kind, user_ids=[user_id], data=whole, key=f"{kind}:{request.id}", now=now)


def _user(session: Session, profile_type: str, profile_id: int) -> tuple[int | None, str]:
    """The user id of a profile, and their name, which may be empty. Without a foreign key, the profile may be gone."""
    profile = PROFILE_TABLES[profile_type]
    statement = select(Person.id, name_of(profile)).join(profile, profile.user_id == Person.id)
    row = session.execute(statement.where(profile.id == profile_id)).one_or_none()
    return (row[0], row[1] or "") if row is not None else (None, "")
