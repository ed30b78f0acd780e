"""Requests for lessons (`session_requests`) and enrolments of students (`tutor_student_bookings`)."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, Computed, Float, ForeignKey, Index, Integer, Numeric, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, created_at, words
from models.states import (
    BOOKING_STATUSES,
    ENROLLMENT_STATUSES,
    PAYMENT_STATUSES,
    REQUEST_STATUSES,
    REQUESTER_TYPES,
    SESSION_FORMATS,
)

# As PostgreSQL prints it, so that Alembic finds no difference.
AGREED_STUDENT = """
    CASE WHEN status::text <> 'pending'::text AND status::text <> 'declined'::text
    THEN student_id ELSE NULL::integer END
"""


class SessionRequest(Base):
    """A request of a student or parent for lessons with a tutor: pending, then accepted or rejected."""

    __tablename__ = "session_requests"

    id: Mapped[int] = mapped_column(primary_key=True)
    tutor_id: Mapped[int] = mapped_column(ForeignKey("tutor_profiles.id"))
    # student_profiles.id or parent_profiles.id, as requester_type says: two tables, so no foreign key.
    requester_id: Mapped[int]
    requester_type: Mapped[str] = mapped_column(String(20))
    # What is requested, in the platform's own words.
    package_name: Mapped[str | None] = mapped_column(String(255))
    status: Mapped[str] = mapped_column(String(20), server_default="pending")
    # The student's name: for a parent's request, the child's.
    student_name: Mapped[str | None] = mapped_column(String(255))
    student_grade: Mapped[str | None] = mapped_column(String(50))
    message: Mapped[str | None] = mapped_column(Text)
    contact_phone: Mapped[str | None] = mapped_column(String(20))
    contact_email: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[datetime] = created_at()
    # When the tutor accepted or rejected.
    responded_at: Mapped[datetime | None]
    # The student. NULL in the platform's older rows.
    student_id: Mapped[int | None] = mapped_column(ForeignKey("student_profiles.id"), index=True)
    # The requested times, in the form of `POST /v1/schedules`.
    schedule: Mapped[dict[str, Any] | None]
    # Created by the tutor's acceptance.
    booking_id: Mapped[int | None] = mapped_column(ForeignKey("tutor_student_bookings.id"), index=True)

    __table_args__ = (
        words("requester_type", REQUESTER_TYPES),
        words("status", REQUEST_STATUSES),
        # Tutors list their requests by status, requesters their own.
        Index("ix_session_requests_tutor_id", "tutor_id", "status"),
        Index("ix_session_requests_requester", "requester_type", "requester_id"),
    )


class Booking(Base):
    """The enrolment of a student with a tutor for a subject; whiteboard sessions and lessons refer to it."""

    __tablename__ = "tutor_student_bookings"

    id: Mapped[int] = mapped_column(primary_key=True)
    # Profiles, not users: a user may be both tutor and student.
    tutor_id: Mapped[int] = mapped_column(ForeignKey("tutor_profiles.id"))
    # Whom the tutor named. No foreign key: until the student agrees, unknown and known ids must get the same response.
    student_id: Mapped[int]
    subject: Mapped[str | None] = mapped_column(String(200))
    grade_level: Mapped[str | None] = mapped_column(String(100))
    # Where lessons take place.
    session_type: Mapped[str | None] = mapped_column(String(50))
    sessions_per_week: Mapped[int | None]
    # Minutes.
    session_duration: Mapped[int | None]
    start_date: Mapped[date | None]
    end_date: Mapped[date | None]
    status: Mapped[str] = mapped_column(String(50), server_default="active")
    price_per_session: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    # ISO 4217.
    currency: Mapped[str | None] = mapped_column(String(10), server_default="ETB")
    notes: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = created_at()
    # Students of the same package of a tutor share its lessons.
    package_name: Mapped[str | None] = mapped_column(String(255))
    # The legacy row that this booking was imported from, one for each of its subjects.
    enrollment_id: Mapped[int | None] = mapped_column(ForeignKey("tutor_student_enrollments.id"))
    # The student, once they or a parent have agreed. Everything that shows a student to the tutor reads this column.
    agreed_student_id: Mapped[int | None] = mapped_column(
        Computed(AGREED_STUDENT, persisted=True),
        ForeignKey("student_profiles.id"),
        index=True,
    )

    __table_args__ = (
        words("session_type", SESSION_FORMATS),
        words("status", BOOKING_STATUSES),
        # A repeated import creates no second booking. Its index also serves the foreign key.
        UniqueConstraint("enrollment_id", "subject"),
        Index("ix_tutor_student_bookings_tutor_id", "tutor_id", "status"),
        Index("ix_tutor_student_bookings_student_id", "student_id", "status"),
    )


class Enrollment(Base):
    """Legacy: an older form of a booking, kept for its column names; only the import of legacy rows reads it."""

    __tablename__ = "tutor_student_enrollments"

    id: Mapped[int] = mapped_column(primary_key=True)
    tutor_id: Mapped[int] = mapped_column(ForeignKey("tutor_profiles.id"), index=True)
    student_id: Mapped[int] = mapped_column(ForeignKey("student_profiles.id"), index=True)
    # A list of names: `["Math", "Physics"]`.
    subjects: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    start_date: Mapped[date | None]
    end_date: Mapped[date | None]
    # Text for people: `3 times per week`.
    session_frequency: Mapped[str | None]
    # Minutes.
    session_duration: Mapped[int | None]
    total_sessions_planned: Mapped[int | None]
    sessions_completed: Mapped[int | None] = mapped_column(Integer, server_default=text("0"))
    # A float, as the legacy table has it: money of a booking is Numeric.
    hourly_rate: Mapped[float | None] = mapped_column(Float)
    payment_status: Mapped[str | None] = mapped_column(server_default="pending")
    # A float: see hourly_rate.
    total_paid: Mapped[float | None] = mapped_column(Float, server_default=text("0"))
    status: Mapped[str | None] = mapped_column(server_default="active")
    is_active: Mapped[bool | None] = mapped_column(server_default=text("true"))
    created_at: Mapped[datetime] = created_at()

    __table_args__ = (
        words("payment_status", PAYMENT_STATUSES),
        words("status", ENROLLMENT_STATUSES),
        {"comment": "Legacy: tutor_student_bookings is used instead."},
    )
