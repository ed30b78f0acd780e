"""Which bookings and whiteboard sessions (and so their pages and recordings) a caller may see, as SQL predicates.

A parent is identified through `student_profiles.parent_id` in the database, never through the token.
"""

from sqlalchemy import ColumnElement, Select, and_, false, func, literal, or_, select, true
from sqlalchemy.orm import Session

from models.bookings import Booking
from models.people import StudentProfile
from models.recordings import Recording
from models.whiteboards import WhiteboardSession
from worker.access.callers import Caller, Operator, UserCaller


def visible_bookings(caller: Caller) -> ColumnElement[bool]:
    """A predicate on Booking: a tutor's bookings, a student's, and those of a parent's children."""
    if isinstance(caller, Operator):
        return true()
    conditions: list[ColumnElement[bool]] = []
    if caller.tutor_id is not None:
        conditions.append(Booking.tutor_id == caller.tutor_id)
    if caller.student_id is not None:
        conditions.append(Booking.student_id == caller.student_id)
    if caller.parent_id is not None:
        children = select(StudentProfile.id).where(StudentProfile.parent_id.bool_op("@>")([caller.parent_id]))
        conditions.append(Booking.student_id.in_(children))
    return or_(false(), *conditions)


def speaks_for(session: Session, caller: Caller, student_id: int) -> bool:
    """Whether the caller is this student or one of their parents, according to the database."""
    if not isinstance(caller, UserCaller):
        return False
    if caller.student_id == student_id:
        return True
    child = select(StudentProfile.id).where(
        StudentProfile.id == student_id, StudentProfile.parent_id.bool_op("@>")([caller.parent_id])
    )
    return caller.parent_id is not None and session.scalar(child) is not None


def visible_sessions(caller: Caller) -> ColumnElement[bool]:
    """A predicate on WhiteboardSession: those of visible bookings, those the caller hosts, and, where there is no
    booking, those they take part in."""
    if isinstance(caller, Operator):
        return true()
    booked = WhiteboardSession.booking_id.in_(select(Booking.id).where(visible_bookings(caller)))
    return or_(booked, *(_named_in(profile_type, profile_id) for profile_type, profile_id in _profiles(caller)))


def visible_recordings(caller: Caller) -> ColumnElement[bool]:
    """A predicate on Recording: those of visible sessions."""
    return Recording.session_id.in_(select(WhiteboardSession.id).where(visible_sessions(caller)))


def visible_sessions_with_booking(caller: Caller) -> Select[WhiteboardSession, int, int]:
    """The sessions that the caller may see, each with the tutor and the student of its booking, if it has one."""
    return (
        select(WhiteboardSession, Booking.tutor_id, Booking.student_id)
        .outerjoin(Booking, Booking.id == WhiteboardSession.booking_id)
        .where(visible_sessions(caller))
    )


def _profiles(user: UserCaller) -> list[tuple[str, int]]:
    named = (("tutor", user.tutor_id), ("student", user.student_id), ("parent", user.parent_id))
    return [(profile_type, profile_id) for profile_type, profile_id in named if profile_id is not None]


def _named_in(profile_type: str, profile_id: int) -> ColumnElement[bool]:
    hosts = and_(
        WhiteboardSession.host_profile_type == profile_type,
        WhiteboardSession.host_profile_id == profile_id,
    )
    # Ids of tutors and students overlap, so an id must be compared with its type. The first condition uses the GIN
    # index.
    participant = (
        func.unnest(WhiteboardSession.participant_profile_ids, WhiteboardSession.participant_profile_types)
        .table_valued("profile_id", "profile_type")
        .render_derived(name="participant")
    )
    takes_part = (
        select(literal(1))
        .select_from(participant)
        .where(participant.c.profile_id == profile_id, participant.c.profile_type == profile_type)
        .correlate(WhiteboardSession)
        .exists()
    )
    without_booking = and_(
        WhiteboardSession.booking_id.is_(None),
        WhiteboardSession.participant_profile_ids.bool_op("@>")([profile_id]),
        takes_part,
    )
    return or_(hosts, without_booking)
