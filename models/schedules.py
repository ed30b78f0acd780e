"""The tutor's calendar: one row is one lesson, or one free slot."""

from datetime import date, datetime, time

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, created_at, words
from models.states import SCHEDULE_STATUSES, SESSION_FORMATS


class Schedule(Base):
    """A lesson at a local date and time; without a student it is a slot that can be booked."""

    __tablename__ = "tutor_schedules"

    id: Mapped[int] = mapped_column(primary_key=True)
    tutor_id: Mapped[int] = mapped_column(ForeignKey("tutor_profiles.id"))
    # Local to `timezone`: what the tutor typed, and what a change of the zone's rules must not move.
    schedule_date: Mapped[date]
    start_time: Mapped[time]
    # At or before start_time means the next day.
    end_time: Mapped[time]
    subject: Mapped[str | None] = mapped_column(String(100))
    grade_level: Mapped[str | None] = mapped_column(String(50))
    session_format: Mapped[str | None] = mapped_column(String(50))
    # Empty: a free slot.
    student_id: Mapped[int | None] = mapped_column(ForeignKey("student_profiles.id"))
    # What the calendar shows; also for a student without an account.
    student_name: Mapped[str | None] = mapped_column(String(255))
    meeting_link: Mapped[str | None] = mapped_column(String(500))
    location: Mapped[str | None] = mapped_column(String(255))
    status: Mapped[str] = mapped_column(String(50), server_default="scheduled")
    is_recurring: Mapped[bool] = mapped_column(server_default=text("false"))
    # Words for people; the rule itself belongs to the series.
    recurrence_pattern: Mapped[str | None] = mapped_column(String(100))
    notes: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = created_at()
    # IANA zone of the local times; empty: the setting TIMEZONE.
    timezone: Mapped[str | None]
    # The same lesson as instants, computed in Python only: PostgreSQL disagrees in the repeated hour of a fold.
    # Empty in a row that somebody wrote by hand.
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    # The series this lesson was expanded from. A plain number: there is no table of series to refer to yet.
    series_id: Mapped[int | None] = mapped_column(index=True)
    booking_id: Mapped[int | None] = mapped_column(ForeignKey("tutor_student_bookings.id"), index=True)

    __table_args__ = (
        words("session_format", SESSION_FORMATS),
        words("status", SCHEDULE_STATUSES),
        # A calendar is read by person and day.
        Index("ix_tutor_schedules_tutor_id", "tutor_id", "schedule_date"),
        Index("ix_tutor_schedules_student_id", "student_id", "schedule_date"),
    )
