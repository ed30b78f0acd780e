"""Turn a request down, and tell who asked."""

from datetime import datetime

from sqlalchemy.orm import Session

from models.bookings import SessionRequest
from worker.access.callers import Caller
from worker.bookings import requests
from worker.workflows.notify_requests import tell_of_answer


def reject_request(session: Session, caller: Caller, request_id: int, *, now: datetime) -> SessionRequest:
    """Once more changes nothing, and tells nobody. Raises as worker.bookings.requests.reject_request does."""
    request = requests.reject_request(session, caller, request_id, now=now)
    tell_of_answer(session, request, now=now)
    return request
