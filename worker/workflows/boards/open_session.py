"""Open a whiteboard session: for a booking or a lesson by its tutor, or between people without one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.orm import Session

from models.whiteboards import WhiteboardSession
from worker.access.callers import Caller, UserCaller
from worker.access.sharing import known_to
from worker.bookings.reading import find_booking
from worker.bookings.statuses import LIVE
from worker.errors import Conflict, Forbidden, InvalidInput
from worker.schedules.reading import read_seats
from worker.whiteboards.sessions import Hosting, Participant, create_session


@dataclass(frozen=True)
class Opening:
    """What a session is opened for: a booking, whose student takes part, or a lesson, all of whose students do.

    In both cases no other participants can be named.
    """

    booking_id: int | None = None
    schedule_id: int | None = None
    participants: Sequence[Participant] = ()
    # Title, description, scheduled times, permissions.
    values: Mapping[str, Any] = field(default_factory=dict)
    # The type of the caller's profile that hosts: a page knows which it is, while a token may name another role.
    host_type: str | None = None


def open_session(session: Session, caller: Caller, opening: Opening) -> WhiteboardSession:
    """Create the session and its first page.

    Raises NotFound for a booking that is not theirs, Forbidden when the caller cannot host it, Conflict for a booking
    that is pending or has ended, InvalidInput for a lesson that is not theirs, or a participant with whom they share
    neither a booking nor a lesson.
    """
    if not isinstance(caller, UserCaller):
        raise Forbidden("Only tutors and students can host a session.")
    if opening.schedule_id is not None:
        opening = _of_lesson(session, caller, opening, opening.schedule_id)
    if opening.booking_id is None:
        host, participants = _host(caller, opening.host_type), opening.participants
        _check_participants(session, host, participants)
    else:
        if opening.host_type == "student":
            raise Forbidden("Only the tutor of a booking can open its sessions.")
        host, participants = _of_booking(session, caller, opening, opening.booking_id)
    hosting = Hosting(host, participants, opening.booking_id, opening.schedule_id)
    return create_session(session, hosting, opening.values)


def _of_booking(
    session: Session, caller: UserCaller, opening: Opening, booking_id: int
) -> tuple[Participant, Sequence[Participant]]:
    booking = find_booking(session, caller, booking_id)
    if booking.tutor_id != caller.tutor_id:
        raise Forbidden("Only the tutor of a booking can open its sessions.")
    if booking.status not in LIVE:
        raise Conflict(f"Booking {booking_id} is {booking.status}; it takes no new sessions.")
    if opening.participants:
        raise InvalidInput("A session of a booking takes its student; name no participants.")
    return Participant(booking.tutor_id, "tutor"), (Participant(booking.student_id, "student"),)


def _host(caller: UserCaller, host_type: str | None) -> Participant:
    """The profile that hosts: that of `host_type`, else of the caller's role, else any that can host."""
    profiles = {"tutor": caller.tutor_id, "student": caller.student_id}
    for profile_type in (caller.role or "", *profiles) if host_type is None else (host_type,):
        profile_id = profiles.get(profile_type)
        if profile_id is not None:
            return Participant(profile_id, profile_type)
    raise Forbidden("Only tutors and students can host a session.")


def _check_participants(session: Session, host: Participant, participants: Sequence[Participant]) -> None:
    """Raise the same error for an unknown id and for a profile that shares nothing with the host."""
    known = known_to(session, (host.profile_type, host.profile_id))
    for participant in participants:
        if (participant.profile_type, participant.profile_id) not in known:
            raise InvalidInput(
                f"You share no booking and no lesson with {participant.profile_type} {participant.profile_id}."
            )


def _of_lesson(session: Session, caller: UserCaller, opening: Opening, schedule_id: int) -> Opening:
    """The opening with the students of the lesson: through the booking of its only student, else as participants."""
    lesson = read_seats(session, schedule_id)
    if lesson is None or lesson.tutor_id != caller.tutor_id:
        raise InvalidInput(f"There is no lesson {schedule_id} of yours.")
    students = lesson.bookings
    bookings = {*students.values(), lesson.booking_id} - {None}
    if opening.booking_id is not None:
        if bookings and opening.booking_id not in bookings:
            raise InvalidInput(f"Lesson {schedule_id} belongs to another booking.")
        return opening
    if not students and not bookings:
        return opening
    if opening.participants:
        raise InvalidInput("A session of a lesson takes its students; name no participants.")
    if len(students) <= 1 and bookings:
        return replace(opening, booking_id=bookings.pop())
    return replace(opening, participants=[Participant(student_id, "student") for student_id in students])
