"""The booking of a tutor and a student, from an enrolment or a group there."""

from collections.abc import Collection, Iterable
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.people import StudentProfile, TutorProfile
from worker.bookings.platform_bookings import Pair, PlatformBooking
from worker.platform.catalog import Column
from worker.platform.connection import Row
from worker.platform.refusals import Refusal
from worker.workflows.platform_import.bookings.courses import subject
from worker.workflows.platform_import.kind import Pull
from worker.workflows.platform_import.words import booking_status, session_format

# The name of this kind, also in the links of bookings.
ENROLMENT = "enrolment"
PACKAGE_COLUMNS = {
    "package_name": Column("tutor_packages", "name", "varchar"),
    "session_format": Column("tutor_packages", "session_format", "varchar"),
    "session_duration": Column("tutor_packages", "session_duration", "numeric"),
    "package_courses": Column("tutor_packages", "course_ids", "integer[]"),
}


def known_pairs(session: Session, pairs: Collection[Pair]) -> set[Pair]:
    """The pairs whose profiles are both stored here; profiles without a user never are."""
    tutors = _stored(session, TutorProfile, {pair.tutor_id for pair in pairs})
    students = _stored(session, StudentProfile, {pair.student_id for pair in pairs})
    return {pair for pair in pairs if pair.tutor_id in tutors and pair.student_id in students}


def _stored(session: Session, profile: type[TutorProfile] | type[StudentProfile], ids: Iterable[int]) -> set[int]:
    return set(session.scalars(select(profile.id).where(profile.id == func.any(list(ids)))))


def pair_booking(pair: Pair, booking_id: int | None, row: Row, names: dict[int, str], pull: Pull) -> PlatformBooking:
    """The booking of a pair, from the row that decides; `booking_id` is that of the booking to change, if any."""
    courses = getattr(row, "courses", None) or row.package_courses
    hours = _finite(row.session_duration)
    return PlatformBooking(
        pair,
        booking_id,
        # An unknown word means that something is unusual.
        status=booking_status(row.status) or "paused",
        subject=subject(names, courses) or row.package_name,
        package_name=row.package_name,
        session_type=session_format(row.session_format),
        session_duration=None if hours is None else round(hours * 60),
        price_per_session=_finite(getattr(row, "agreed_price", None)),
        created_at=pull.written_at(getattr(row, "enrolled_at", None) or row.created_at),
    )


def _finite(number: Decimal | None) -> Decimal | None:
    """The number; None for NaN, which the columns accept."""
    return number if number is not None and number.is_finite() else None


def pair_without_account(pair: Pair) -> Refusal:
    """Why nothing was stored for a pair without a user."""
    reason = f"tutor {pair.tutor_id} or student {pair.student_id} is no profile with a user"
    details = {"tutor": pair.tutor_id, "student": pair.student_id}
    return Refusal("nobodys", reason, "Give the profile an account on the platform.", details=details)
