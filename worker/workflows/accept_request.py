"""Accept a request: the student is enrolled and has lessons, or neither."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from models.bookings import Booking, SessionRequest
from worker.access.callers import Caller
from worker.bookings.booking_commands import enrol_student
from worker.bookings.requests import learner_of, lock_received
from worker.calendars.zones import zone
from worker.errors import Conflict
from worker.recurrence.instants import length
from worker.recurrence.request import Recurrence
from worker.schedules.requests import zone_of_tutor
from worker.schedules.series.membership import SeriesMember, create_series
from worker.schedules.series.occurrences import recurrence_of
from worker.workflows.accepted_result import AcceptedRequest, read_accepted
from worker.workflows.notify_changes import plan_new_lessons
from worker.workflows.notify_requests import tell_of_answer
from worker.workflows.package_lessons import join_lessons, series_to_join
from worker.workflows.requested_times import RequestedTimes, end_within_a_year, read_requested_times

# Widths of columns: a lesson says less than its booking, and that less than the package's name.
_BOOKING_SUBJECT, _LESSON_SUBJECT, _LESSON_GRADE = 200, 100, 50


@dataclass(frozen=True)
class Acceptance:
    """How the tutor accepts: columns of the booking said otherwise; whether lessons that collide are left out.

    `now` is when, `timezone` holds where nobody named one, `horizon_days` is how far ahead lessons are stored.
    """

    values: Mapping[str, Any]
    skip_conflicts: bool
    now: datetime
    timezone: str
    horizon_days: int


def accept_request(session: Session, caller: Caller, request_id: int, acceptance: Acceptance) -> AcceptedRequest:
    """Make the booking and, when times are wished or the package has lessons, those of the student.

    A request that was accepted before is only read. Raises NotFound, Forbidden, Conflict when it was rejected, names
    no student, or the student has these lessons already, InvalidInput for its times, LessonConflict.
    """
    request = lock_received(session, caller, request_id)
    if request.status == "rejected":
        raise Conflict(f"Request {request_id} was rejected; it must be asked for anew.")
    if request.status == "pending":
        _accept(session, request, acceptance)
    return read_accepted(session, request, now=acceptance.now)


def _accept(session: Session, request: SessionRequest, acceptance: Acceptance) -> None:
    student_id, now = learner_of(session, request), acceptance.now
    timezone = zone_of_tutor(session, request.tutor_id, acceptance.timezone)
    wished = read_requested_times(request.schedule, now=now, timezone=timezone)
    series = series_to_join(session, request, student_id, wished)
    said = {**_said_by_request(request), **_said_by_lessons(wished, recurrence_of(series) if series else None)}
    said.setdefault("start_date", now.astimezone(zone(timezone)).date())
    values = {**said, **acceptance.values}
    booking = enrol_student(session, tutor_id=request.tutor_id, student_id=student_id, values=values)
    request.status, request.responded_at, request.booking_id = "accepted", now, booking.id
    tell_of_answer(session, request, now=now)
    participant = SeriesMember(student_id, booking.id)
    how: dict[str, Any] = {
        "skip_conflicts": acceptance.skip_conflicts,
        "now": now,
        "horizon_days": acceptance.horizon_days,
    }
    if series is not None:
        join_lessons(session, series, participant, wished, **how)
        plan_new_lessons(session, series_ids=[series.id], now=now)
    elif wished is not None:
        made = create_series(
            session,
            tutor_id=request.tutor_id,
            recurrence=wished.recurrence,
            content=_content(booking),
            participants=[participant],
            package_name=request.package_name,
            **how,
        )
        plan_new_lessons(session, series_ids=[made.series_id] if made.series_id is not None else [], now=now)
    session.flush()


def _said_by_request(request: SessionRequest) -> dict[str, Any]:
    return {
        "subject": request.package_name and request.package_name[:_BOOKING_SUBJECT],
        "grade_level": request.student_grade,
        "package_name": request.package_name,
    }


def _said_by_lessons(wished: RequestedTimes | None, joined: Recurrence | None) -> dict[str, Any]:
    """Columns of a booking for the lessons wished, or else those that are joined."""
    recurrence = wished.recurrence if wished is not None else joined
    if recurrence is None:
        return {}
    minutes = int(length(recurrence.start_time, recurrence.end_time).total_seconds() // 60)
    said: dict[str, Any] = {"sessions_per_week": _per_week(recurrence), "session_duration": minutes or None}
    if wished is not None:
        # Lessons begin with the first one ahead: what was wished for days that are over did not take place.
        said["start_date"] = wished.since
        if joined is not None:
            # Those of the others may go on for longer than this student wished.
            said["end_date"] = end_within_a_year(wished)
    return said


def _per_week(recurrence: Recurrence) -> int | None:
    """How many lessons each week has; None when that differs from week to week."""
    rule = recurrence.rule
    if rule is None or rule.interval != 1 or rule.freq not in ("DAILY", "WEEKLY") or rule.by_month_day:
        return None
    return None if rule.by_set_pos else len(rule.by_day) or 7


def _content(booking: Booking) -> dict[str, Any]:
    return {
        "subject": booking.subject and booking.subject[:_LESSON_SUBJECT],
        "grade_level": booking.grade_level and booking.grade_level[:_LESSON_GRADE],
        "session_format": booking.session_type,
    }
