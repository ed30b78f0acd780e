"""Create a request for lessons, or reject one. Accepting one also creates lessons, so that is a workflow."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.bookings import SessionRequest
from models.people import StudentProfile, TutorProfile
from models.people import User as Person
from worker.access.callers import Caller, UserCaller
from worker.access.names import person_name
from worker.bookings.request_reading import find_request
from worker.errors import Conflict, Forbidden, InvalidInput


@dataclass(frozen=True)
class NewRequest:
    """A request for lessons to store: the tutor, the student, and the other columns."""

    tutor_id: int
    student_id: int | None
    values: Mapping[str, Any]


def ask_for_lessons(session: Session, caller: Caller, new: NewRequest) -> SessionRequest:
    """Store a request of the calling student or parent.

    A student asks for themselves and may omit the student; a parent names one of their children. Raises Forbidden when
    the caller is neither, InvalidInput for a student who is not theirs or an unknown tutor, Conflict when the same
    request is already pending.
    """
    requester_type, requester_id = _requester(caller)
    student = _learner(session, requester_type, requester_id, new.student_id)
    _check_tutor(session, caller, new.tutor_id)
    package_name = new.values.get("package_name")
    waiting = session.scalar(
        select(SessionRequest.id).where(
            SessionRequest.tutor_id == new.tutor_id,
            SessionRequest.student_id == student.id,
            SessionRequest.package_name.is_not_distinct_from(package_name),
            SessionRequest.status == "pending",
        )
    )
    if waiting is not None:
        raise Conflict(f"Request {waiting} for this already waits for the tutor.", session_request_id=waiting)
    known = {"student_name": _name(session, student), "student_grade": (student.grade_level or "")[:50] or None}
    given = {column: value for column, value in new.values.items() if value is not None}
    request = SessionRequest(
        tutor_id=new.tutor_id,
        student_id=student.id,
        requester_id=requester_id,
        requester_type=requester_type,
        **(known | given),
    )
    session.add(request)
    session.flush()
    # Reads the database's defaults: status and created_at.
    session.refresh(request)
    return request


def lock_received(session: Session, caller: Caller, request_id: int) -> SessionRequest:
    """Lock a received request until the transaction ends, for the tutor it is addressed to, and return it.

    Raises NotFound, and Forbidden for those who may only see it.
    """
    request = find_request(session, caller, request_id, lock=True)
    if caller.tutor_id != request.tutor_id:
        raise Forbidden("Only the tutor who was asked can answer a request.")
    return request


def learner_of(session: Session, request: SessionRequest) -> int:
    """The student of a request; its requester must still speak for them.

    Older rows name the student only when students asked for themselves. Raises Conflict for a request that names no
    student, and for a student who is gone or no longer a child of the requester.
    """
    student_id = request.student_id
    if student_id is None and request.requester_type == "student":
        student_id = request.requester_id
    if student_id is None:
        raise Conflict(f"Request {request.id} does not say which child will learn; reject it and make a booking.")
    theirs = StudentProfile.id == request.requester_id
    if request.requester_type == "parent":
        theirs = StudentProfile.parent_id.bool_op("@>")([request.requester_id])
    statement = select(StudentProfile.id).where(StudentProfile.id == student_id, StudentProfile.is_active, theirs)
    if session.scalar(statement) is None:
        raise Conflict(f"Who made request {request.id} does not speak for its student any more; reject it.")
    return student_id


def reject_request(session: Session, caller: Caller, request_id: int, *, now: datetime) -> SessionRequest:
    """Reject a request; idempotent. Raises NotFound, Forbidden, Conflict when it was accepted."""
    request = lock_received(session, caller, request_id)
    if request.status == "accepted":
        raise Conflict(f"Request {request_id} was accepted; end its booking instead.", booking_id=request.booking_id)
    if request.status == "pending":
        request.status, request.responded_at = "rejected", now
        session.flush()
    return request


def _requester(caller: Caller) -> tuple[str, int]:
    """The profile in which the caller asks: that of the role they act in, else any profile that may ask."""
    if isinstance(caller, UserCaller):
        profiles = {"student": caller.student_id, "parent": caller.parent_id}
        for requester_type in (caller.role or "", *profiles):
            profile_id = profiles.get(requester_type)
            if profile_id is not None:
                return requester_type, profile_id
    raise Forbidden("Only students and parents can ask for lessons.")


def _learner(session: Session, requester_type: str, requester_id: int, student_id: int | None) -> StudentProfile:
    """Lock and return the student. The lock makes the second of two concurrent equal requests find the first."""
    if requester_type == "student":
        if student_id not in (None, requester_id):
            raise InvalidInput(f"Student {student_id} is not you; a student asks for themselves.")
        theirs = StudentProfile.id == requester_id
    else:
        if student_id is None:
            raise InvalidInput("Say with student_id which of your children will learn.")
        theirs = StudentProfile.parent_id.bool_op("@>")([requester_id])
    learner_id = requester_id if student_id is None else student_id
    statement = select(StudentProfile).where(StudentProfile.id == learner_id, StudentProfile.is_active, theirs)
    # FOR NO KEY UPDATE, not the stronger FOR UPDATE: inserting lessons and bookings of the student need not wait.
    student = session.scalar(statement.with_for_update(key_share=True))
    if student is None:
        raise InvalidInput(f"There is no active student {student_id} among your children.")
    return student


def _check_tutor(session: Session, caller: Caller, tutor_id: int) -> None:
    if caller.tutor_id == tutor_id:
        raise InvalidInput("You cannot ask yourself for lessons.")
    exists = session.scalar(select(TutorProfile.id).where(TutorProfile.id == tutor_id, TutorProfile.is_active))
    if exists is None:
        raise InvalidInput(f"There is no active tutor {tutor_id}.")


def _name(session: Session, student: StudentProfile) -> str | None:
    person = session.get_one(Person, student.user_id)
    return person_name(person, student)
