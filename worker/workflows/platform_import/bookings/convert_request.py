"""Convert a row of `requested_sessions`, and report what is wrong with it."""

from collections.abc import Mapping
from typing import Any

from worker.bookings.platform_bookings import Pair
from worker.bookings.platform_requests import PlatformRequest
from worker.errors import InvalidInput
from worker.platform.connection import Row
from worker.platform.refusals import Refusal
from worker.workflows.platform_import.bookings.known_requesters import KnownRequesters
from worker.workflows.platform_import.bookings.requested_schedule import requested_schedule
from worker.workflows.platform_import.kind import IncomingRow, Pull

_STATUSES = frozenset({"pending", "accepted", "rejected"})


def convert_request(
    incoming: IncomingRow, known: KnownRequesters, pull: Pull
) -> tuple[PlatformRequest | None, tuple[Refusal, ...]]:
    """The request of a row (None: refused), and what is wrong with it."""
    row = incoming.row
    requester_id = known.requesters.get((row.requester_type, row.requester_id))
    student_id = row.requested_to_id
    if student_id is None and row.requester_type == "student":
        student_id = requester_id
    refusal = _refusal(row, requester_id, student_id, known)
    if refusal is not None or requester_id is None:
        return None, (refusal,) if refusal is not None else ()
    student = None if student_id is None else known.students[student_id]
    schedule, notes = _schedule(row, pull)
    if student is None:
        notes += (
            Refusal(
                "no-learner", "it does not say who will learn", "Name the child on the platform.", is_refused=False
            ),
        )
    request = PlatformRequest(
        incoming.id,
        row.tutor_id,
        requester_id,
        row.requester_type,
        student_id,
        student_name=student.name if student is not None else None,
        student_grade=student.grade_level if student is not None else None,
        package_name=row.package_name,
        status=row.status if row.status in _STATUSES else "pending",
        message=_message(row, schedule),
        schedule=schedule,
        booking_id=_booking_id(row, student_id, known),
        created_at=pull.written_at(row.created_at),
        responded_at=pull.written_at(row.responded_at or row.rejected_at),
    )
    return request, notes


def _refusal(row: Row, requester_id: int | None, student_id: int | None, known: KnownRequesters) -> Refusal | None:
    if requester_id is None:
        reason = f"user {row.requester_id} has no {row.requester_type} profile"
        if not known.are_users:
            reason = f"no {row.requester_type} profile {row.requester_id}"
        return Refusal("no-requester", reason, "Correct who asks on the platform, or delete the request there.")
    if row.tutor_id not in known.tutors:
        return Refusal("no-tutor", f"no tutor profile {row.tutor_id}", "Delete the request on the platform.")
    if student_id is not None and student_id not in known.students:
        return Refusal("no-student", f"no student profile {student_id}", "Correct who learns on the platform.")
    return None


def _schedule(row: Row, pull: Pull) -> tuple[Mapping[str, Any] | None, tuple[Refusal, ...]]:
    remedy = "Ask the requester for days and times."
    try:
        schedule = requested_schedule(
            schedule_type=row.schedule_type,
            years=row.year_range,
            months=row.months,
            days=row.days,
            dates=row.specific_dates,
            times=(row.start_time, row.end_time),
            timezone=pull.timezone,
        )
    except InvalidInput as error:
        return None, (Refusal("unknown-times", error.detail, remedy, is_refused=False),)
    if schedule is None:
        return None, (Refusal("says-no-times", "its schedule says nothing", remedy, is_refused=False),)
    return schedule, ()


def _message(row: Row, schedule: Mapping[str, Any] | None) -> str | None:
    """The message; if the schedule says nothing, it includes the requested times in the requester's own words."""
    parts = [row.message, None if schedule is not None else row.preferred_schedule]
    return "\n".join(part.strip() for part in parts if part and part.strip()) or None


def _booking_id(row: Row, student_id: int | None, known: KnownRequesters) -> int | None:
    if row.status != "accepted" or student_id is None:
        return None
    return known.bookings.get(Pair(row.tutor_id, student_id))
