"""Accept a request: the student is enrolled and gets lessons, or neither happens."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypedDict

from sqlalchemy.orm import Session

from models.bookings import Booking, SessionRequest
from worker.access.callers import Caller
from worker.bookings.booking_commands import enrol_student
from worker.bookings.requests import learner_of, lock_received
from worker.calendars.zones import zone
from worker.errors import Conflict
from worker.recurrence.instants import length
from worker.recurrence.request import Recurrence
from worker.schedules.planning import Planning
from worker.schedules.requests import zone_of_tutor
from worker.schedules.series.create_series import NewLessons, create_series
from worker.schedules.series.membership import SeriesMember
from worker.schedules.series.occurrences import recurrence_of
from worker.workflows.lessons.accepted_result import AcceptedRequest, read_accepted
from worker.workflows.lessons.notify_changes import plan_new_lessons
from worker.workflows.lessons.package_lessons import join_lessons, series_to_join
from worker.workflows.lessons.requested_times import RequestedTimes, end_within_a_year, read_requested_times
from worker.workflows.lessons.session_requests import notify_of_answer

# Widths of columns: a lesson's are narrower than its booking's, which are narrower than the package's name.
_BOOKING_SUBJECT, _LESSON_SUBJECT, _LESSON_GRADE = 200, 100, 50


class _BookingColumns(TypedDict, total=False):
    """Columns of a booking that a request and its lessons determine."""

    subject: str | None
    grade_level: str | None
    package_name: str | None
    sessions_per_week: int | None
    session_duration: int | None
    start_date: date
    end_date: date | None


@dataclass(frozen=True)
class Acceptance:
    """How the tutor accepts: the booking's columns that they override, and how its lessons are planned.

    `timezone` is used when neither the request nor the tutor names one.
    """

    values: Mapping[str, Any]
    timezone: str
    planning: Planning


def accept_request(session: Session, caller: Caller, request_id: int, acceptance: Acceptance) -> AcceptedRequest:
    """Create the booking and, when the request names times or the package has lessons, the student's lessons.

    Idempotent: a request that was accepted before is only read. Raises NotFound, Forbidden, Conflict when it was
    rejected, names no student, or the student has these lessons already, InvalidInput for its times, LessonConflict.
    """
    request = lock_received(session, caller, request_id)
    if request.status == "rejected":
        raise Conflict(f"Request {request_id} was rejected; it must be asked for anew.")
    if request.status == "pending":
        _accept(session, request, acceptance)
    return read_accepted(session, request, now=acceptance.planning.now)


def _accept(session: Session, request: SessionRequest, acceptance: Acceptance) -> None:
    student_id, now = learner_of(session, request), acceptance.planning.now
    timezone = zone_of_tutor(session, request.tutor_id, acceptance.timezone)
    requested = read_requested_times(request.schedule, now=now, timezone=timezone)
    series = series_to_join(session, request, student_id, requested)
    columns = _columns_of(request, now.astimezone(zone(timezone)).date())
    columns |= _lesson_columns(requested, recurrence_of(series) if series is not None else None)
    values = {**columns, **acceptance.values}
    booking = enrol_student(session, tutor_id=request.tutor_id, student_id=student_id, values=values)
    request.status, request.responded_at, request.booking_id = "accepted", now, booking.id
    notify_of_answer(session, request, now=now)
    member = SeriesMember(student_id, booking.id)
    if series is not None:
        join_lessons(session, series, member, requested, acceptance.planning)
        plan_new_lessons(session, series_ids=[series.id], now=now)
    elif requested is not None:
        _create_lessons(session, booking, requested, acceptance.planning)
    session.flush()


def _create_lessons(session: Session, booking: Booking, requested: RequestedTimes, planning: Planning) -> None:
    lessons = NewLessons(
        tutor_id=booking.tutor_id,
        recurrence=requested.recurrence,
        content=_content(booking),
        participants=[SeriesMember(booking.student_id, booking.id)],
        package_name=booking.package_name,
    )
    result = create_series(session, lessons, planning)
    plan_new_lessons(session, series_ids=[result.series_id] if result.series_id is not None else [], now=planning.now)


def _columns_of(request: SessionRequest, today: date) -> _BookingColumns:
    return {
        "subject": request.package_name and request.package_name[:_BOOKING_SUBJECT],
        "grade_level": request.student_grade,
        "package_name": request.package_name,
        "start_date": today,
    }


def _lesson_columns(requested: RequestedTimes | None, joined: Recurrence | None) -> _BookingColumns:
    """The booking's columns for the requested lessons, or else for those that are joined."""
    recurrence = requested.recurrence if requested is not None else joined
    if recurrence is None:
        return {}
    minutes = int(length(recurrence.start_time, recurrence.end_time).total_seconds() // 60)
    columns: _BookingColumns = {"sessions_per_week": _per_week(recurrence), "session_duration": minutes or None}
    if requested is not None:
        # Requested days in the past have no lessons, so the first future one starts the booking.
        columns["start_date"] = requested.since
        if joined is not None:
            # The others' lessons may continue for longer than this student requested.
            columns["end_date"] = end_within_a_year(requested)
    return columns


def _per_week(recurrence: Recurrence) -> int | None:
    """How many lessons each week has; None when that differs from week to week."""
    rule = recurrence.rule
    if rule is None or rule.interval != 1 or rule.freq not in ("DAILY", "WEEKLY") or rule.by_month_day:
        return None
    return None if rule.by_set_pos else len(rule.by_day) or 7


def _content(booking: Booking) -> dict[str, str | None]:
    return {
        "subject": booking.subject and booking.subject[:_LESSON_SUBJECT],
        "grade_level": booking.grade_level and booking.grade_level[:_LESSON_GRADE],
        "session_format": booking.session_type,
    }
