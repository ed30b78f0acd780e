"""Ask a tutor for lessons, at times that can be understood."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from models.bookings import SessionRequest
from worker.access.callers import Caller
from worker.bookings.requests import ask_for_lessons
from worker.schedules.requests import zone_of_tutor
from worker.workflows.notify_requests import tell_of_request
from worker.workflows.requested_times import read_requested_times


def request_lessons(
    session: Session,
    caller: Caller,
    *,
    tutor_id: int,
    student_id: int | None,
    values: Mapping[str, Any],
    now: datetime,
    timezone: str,
) -> SessionRequest:
    """Store the request of the student or parent who calls, its `schedule` as it was sent, and tell the tutor.

    `timezone` holds where neither the wish nor the tutor has one. Raises as worker.bookings.requests.ask_for_lessons
    does, and InvalidInput for times that mean nothing or are over.
    """
    request = ask_for_lessons(session, caller, tutor_id=tutor_id, student_id=student_id, values=values)
    read_requested_times(request.schedule, now=now, timezone=zone_of_tutor(session, tutor_id, timezone))
    tell_of_request(session, request, now=now)
    return request
