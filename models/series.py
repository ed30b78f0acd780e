"""Series of lessons: their rules, their students, and the days that they leave out."""

from datetime import date, datetime, time

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, created_at, words
from models.states import (
    SERIES_STATUSES,
    SESSION_FORMATS,
    SKIP_REASONS,
)


class Series(Base):
    """Recurring lessons or free slots: local start, zone and rule. Never instants: zones change."""

    __tablename__ = "schedule_series"

    id: Mapped[int] = mapped_column(primary_key=True)
    tutor_id: Mapped[int] = mapped_column(ForeignKey("tutor_profiles.id"))
    # Lessons of the students in `series_participants`; false: free slots.
    has_students: Mapped[bool]
    # Students of the same package join these lessons.
    package_name: Mapped[str | None] = mapped_column(String(255))
    # The first day, local, and the local times of each occurrence; end_time at or before start_time: the next day.
    schedule_date: Mapped[date]
    start_time: Mapped[time]
    end_time: Mapped[time]
    # IANA zone.
    timezone: Mapped[str]
    # RFC 5545 RRULE, RFC 7529 RSCALE included; NULL: the days of `dates`.
    rrule: Mapped[str | None] = mapped_column(Text)
    dates: Mapped[list[date] | None] = mapped_column(ARRAY(Date))
    # Words for people.
    recurrence_pattern: Mapped[str] = mapped_column(Text)
    # Copied to every lesson of the series.
    subject: Mapped[str | None] = mapped_column(String(100))
    grade_level: Mapped[str | None] = mapped_column(String(50))
    session_format: Mapped[str | None] = mapped_column(String(50))
    meeting_link: Mapped[str | None] = mapped_column(String(500))
    location: Mapped[str | None] = mapped_column(String(255))
    notes: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(20), server_default="active")
    # The last local day whose occurrences are stored or skipped.
    expanded_until: Mapped[date | None]
    # The series this one was split from by a change of this and the following lessons.
    split_from_id: Mapped[int | None] = mapped_column(ForeignKey("schedule_series.id"), index=True)
    created_at: Mapped[datetime] = created_at()
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (
        words("session_format", SESSION_FORMATS),
        words("status", SERIES_STATUSES),
        CheckConstraint("(rrule IS NULL) <> (dates IS NULL)", name="rule"),
        Index("ix_schedule_series_tutor_id", "tutor_id", "status"),
        # Which series to fill next.
        Index("ix_schedule_series_due", "expanded_until", postgresql_where=text("status = 'active'")),
    )


class SeriesParticipant(Base):
    """A student of a series, through their booking: they attend its lessons while the booking is active."""

    __tablename__ = "series_participants"

    series_id: Mapped[int] = mapped_column(ForeignKey("schedule_series.id", ondelete="CASCADE"), primary_key=True)
    student_id: Mapped[int] = mapped_column(ForeignKey("student_profiles.id"), primary_key=True, index=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("tutor_student_bookings.id"), index=True)
    # The earliest participant is `student_id` in the rows of the lessons.
    created_at: Mapped[datetime] = created_at()


class ScheduleSkip(Base):
    """An occurrence of a series without a lesson (EXDATE), or without this student, and why."""

    __tablename__ = "schedule_skips"

    id: Mapped[int] = mapped_column(primary_key=True)
    series_id: Mapped[int] = mapped_column(ForeignKey("schedule_series.id", ondelete="CASCADE"))
    occurrence_date: Mapped[date]
    # NULL: there is no lesson for anybody; otherwise only this student of a group has none.
    student_id: Mapped[int | None] = mapped_column(ForeignKey("student_profiles.id"), index=True)
    reason: Mapped[str] = mapped_column(String(20))
    # The conflicting lesson, when somebody is busy.
    schedule_id: Mapped[int | None] = mapped_column(ForeignKey("tutor_schedules.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime] = created_at()

    __table_args__ = (
        words("reason", SKIP_REASONS),
        # Its index also serves the foreign key.
        UniqueConstraint("series_id", "occurrence_date", "student_id", postgresql_nulls_not_distinct=True),
    )
