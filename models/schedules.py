"""The tutor's calendar: a series is a rule, a row of `tutor_schedules` is one lesson or one free slot."""

from datetime import date, datetime, time

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    event,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.schema import DDL

from models.base import Base, created_at, words
from models.states import (
    ATTENDANCES,
    CANCELLERS,
    SCHEDULE_STATUSES,
    SESSION_FORMATS,
)

# For exclusion constraints over an integer and a time range in one index.
event.listen(Base.metadata, "before_create", DDL("CREATE EXTENSION IF NOT EXISTS btree_gist"))  # type: ignore[no-untyped-call]

# A lesson that occupies its people. Rows written by hand are left out until their instants are computed: a range
# without bounds would overlap everything.
_LIVE = "status IN ('scheduled', 'in_progress')"
_TAKES_TIME = f"student_id IS NOT NULL AND starts_at IS NOT NULL AND ends_at IS NOT NULL AND {_LIVE}"


def one_at_a_time(column: str, *, name: str, where: str) -> ExcludeConstraint:
    """An exclusion constraint: no two rows of the same `column` overlap in time."""
    during = func.tstzrange(Column("starts_at"), Column("ends_at"))
    return ExcludeConstraint((Column(column), "="), (during, "&&"), name=name, where=text(where), using="gist")


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
    # NULL: a free slot. The first of the lesson's students; all of them are in `schedule_participants`.
    student_id: Mapped[int | None] = mapped_column(ForeignKey("student_profiles.id"))
    # The name in the calendar; also for a student without an account.
    student_name: Mapped[str | None] = mapped_column(String(255))
    meeting_link: Mapped[str | None] = mapped_column(String(500))
    location: Mapped[str | None] = mapped_column(String(255))
    status: Mapped[str] = mapped_column(String(50), server_default="scheduled")
    is_recurring: Mapped[bool] = mapped_column(server_default=text("false"))
    # Words for people; the rule itself belongs to the series.
    recurrence_pattern: Mapped[str | None] = mapped_column(String(100))
    notes: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = created_at()
    # IANA zone of the local times; NULL: the setting TIMEZONE.
    timezone: Mapped[str | None]
    # The same lesson as instants, computed in Python only: PostgreSQL disagrees in the repeated hour of a fold.
    # NULL in a hand-written row, until beat has computed them.
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    # The series this lesson was expanded from.
    series_id: Mapped[int | None] = mapped_column(ForeignKey("schedule_series.id"))
    booking_id: Mapped[int | None] = mapped_column(ForeignKey("tutor_student_bookings.id"), index=True)
    # The day by the rule of its series: a moved lesson keeps it.
    occurrence_date: Mapped[date | None]
    # Edited by hand: a change of its series does not affect it.
    is_override: Mapped[bool] = mapped_column(server_default=text("false"))
    # When a student booked this free slot.
    booked_at: Mapped[datetime | None]
    cancelled_by: Mapped[str | None] = mapped_column(String(20))
    attendance: Mapped[str] = mapped_column(String(20), server_default="unknown")
    # The release of the zone rules that the instants were computed with.
    tzdata_version: Mapped[str | None] = mapped_column(String(20))
    # RFC 5545 SEQUENCE: grows with every change that a calendar must show.
    sequence: Mapped[int] = mapped_column(server_default=text("0"))
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (
        words("session_format", SESSION_FORMATS),
        words("status", SCHEDULE_STATUSES),
        words("cancelled_by", CANCELLERS),
        words("attendance", ATTENDANCES),
        CheckConstraint("(starts_at IS NULL) = (ends_at IS NULL) AND ends_at > starts_at", name="instants"),
        CheckConstraint("(series_id IS NULL) = (occurrence_date IS NULL)", name="occurrence"),
        # Two expanders at once store an occurrence once. Its index also serves the foreign key.
        UniqueConstraint("series_id", "occurrence_date"),
        # Referred to by participants, so that their times and status are the lesson's.
        UniqueConstraint("id", "starts_at", "ends_at", "status"),
        one_at_a_time("tutor_id", name="ex_tutor_schedules_tutor_id", where=_TAKES_TIME),
        one_at_a_time("student_id", name="ex_tutor_schedules_student_id", where=_TAKES_TIME),
        # A calendar is read by person and day.
        Index("ix_tutor_schedules_tutor_id", "tutor_id", "schedule_date"),
        Index("ix_tutor_schedules_student_id", "student_id", "schedule_date"),
        # Lessons that begin or end next.
        Index("ix_tutor_schedules_live", "starts_at", postgresql_where=text(f"student_id IS NOT NULL AND {_LIVE}")),
        Index("ix_tutor_schedules_by_hand", "id", postgresql_where=text("starts_at IS NULL")),
    )


class ScheduleParticipant(Base):
    """A student of a lesson. Times and status are the lesson's: the foreign key propagates every change of them."""

    __tablename__ = "schedule_participants"

    schedule_id: Mapped[int] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(ForeignKey("student_profiles.id"), primary_key=True)
    booking_id: Mapped[int | None] = mapped_column(ForeignKey("tutor_student_bookings.id"), index=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(50))

    __table_args__ = (
        ForeignKeyConstraint(
            ["schedule_id", "starts_at", "ends_at", "status"],
            ["tutor_schedules.id", "tutor_schedules.starts_at", "tutor_schedules.ends_at", "tutor_schedules.status"],
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        one_at_a_time("student_id", name="ex_schedule_participants_student_id", where=_LIVE),
        Index("ix_schedule_participants_student_id", "student_id", "starts_at"),
    )


class CalendarFeed(Base):
    """The secret address of a person's calendar. Only its hash is kept: the address is shown once."""

    __tablename__ = "calendar_feeds"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    # SHA-256 of the secret, hexadecimal.
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = created_at()
