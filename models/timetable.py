"""Personal timetables: what a person of any role has planned besides lessons, with one alarm each."""

from datetime import date, datetime, time

from sqlalchemy import ARRAY, CheckConstraint, Date, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, created_at, words
from models.states import ENTRY_PRIORITIES, ENTRY_STATUSES, ENTRY_TYPES, PROFILE_TYPES


class TimetableEntry(Base):
    """One entry, in the words of the platform's form. Its occurrences are computed and never stored."""

    __tablename__ = "timetable_entries"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    # The role in which it was written; NULL: none of the three.
    role: Mapped[str | None] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(Text)
    priority_level: Mapped[str] = mapped_column(String(20), server_default="medium")
    # `recurring`: weekly on `days`, in `months` (empty: in all), from `year` on, without end. `specific`: on
    # `specific_dates`. An entry may name no day: it then never occurs.
    schedule_type: Mapped[str] = mapped_column(String(20), server_default="recurring")
    # The first year of a recurring entry, which continues in later years.
    year: Mapped[int]
    # English names in the order of the year and of the week.
    months: Mapped[list[str]] = mapped_column(ARRAY(String), server_default=text("'{}'::character varying[]"))
    days: Mapped[list[str]] = mapped_column(ARRAY(String), server_default=text("'{}'::character varying[]"))
    specific_dates: Mapped[list[date]] = mapped_column(ARRAY(Date), server_default=text("'{}'::date[]"))
    # Local to `timezone`; end_time at or before start_time means the next day.
    start_time: Mapped[time]
    end_time: Mapped[time]
    # IANA zone.
    timezone: Mapped[str]
    notes: Mapped[str | None] = mapped_column(Text)
    # Only active entries send reminders and are listed in the calendar.
    status: Mapped[str] = mapped_column(String(20), server_default="active")
    is_featured: Mapped[bool] = mapped_column(server_default=text("false"))
    # Whether it sends reminders at all, whatever `alarm_before_minutes` is.
    alarm_enabled: Mapped[bool] = mapped_column(server_default=text("false"))
    alarm_before_minutes: Mapped[int | None]
    # How the page shows the alarm; messages go by the channels of the person's preferences.
    notification_browser: Mapped[bool] = mapped_column(server_default=text("false"))
    notification_sound: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = created_at()
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    # RFC 5545 SEQUENCE: grows with every change that a calendar must show.
    sequence: Mapped[int] = mapped_column(server_default=text("0"))
    # When its reminders were last planned; NULL: to be planned now.
    planned_at: Mapped[datetime | None]

    __table_args__ = (
        words("role", PROFILE_TYPES),
        words("priority_level", ENTRY_PRIORITIES),
        words("schedule_type", ENTRY_TYPES),
        words("status", ENTRY_STATUSES),
        CheckConstraint("year BETWEEN 1900 AND 2199", name="year"),
        CheckConstraint("alarm_before_minutes BETWEEN 0 AND 40320", name="alarm_before_minutes"),
        # One person's entries, newest first.
        Index("ix_timetable_entries_user_id", "user_id", "id"),
        # Entries to be planned next: those with an alarm, and those whose alarm has just been switched off.
        Index(
            "ix_timetable_entries_planned_at",
            "planned_at",
            postgresql_where=text("(alarm_enabled AND status = 'active') OR planned_at IS NULL"),
        ),
    )
