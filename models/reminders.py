"""How people want to be notified: preferences, alarms of lessons, registered channels."""

from datetime import datetime, time

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, created_at, words
from models.states import CALENDARS, CHANNEL_KINDS


class NotificationPreference(Base):
    """How a person wants to be notified. Without a row the defaults apply."""

    __tablename__ = "notification_preferences"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    # Minutes before each lesson without alarms of its own.
    alarms: Mapped[list[int]] = mapped_column(ARRAY(Integer), server_default=text("'{1440,15}'::integer[]"))
    # Kinds, or ids of `notification_channels` as text. All of them are used.
    channels: Mapped[list[str]] = mapped_column(
        ARRAY(String), server_default=text("'{email,in_app}'::character varying[]")
    )
    # Used only after a permanent failure of one of `channels`, in this order.
    fallback: Mapped[list[str]] = mapped_column(ARRAY(String), server_default=text("'{}'::character varying[]"))
    # NULL: language and zone of the person's account.
    language: Mapped[str | None] = mapped_column(String(10))
    timezone: Mapped[str | None]
    calendar: Mapped[str] = mapped_column(String(20), server_default="gregorian")
    # Local times between which nothing but in-app messages arrive; both or none. The end may be before the start.
    quiet_start: Mapped[time | None]
    quiet_end: Mapped[time | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (
        words("calendar", CALENDARS),
        CheckConstraint("(quiet_start IS NULL) = (quiet_end IS NULL)", name="quiet"),
    )


class LessonAlarm(Base):
    """A person's own alarm of one lesson or of a whole series, instead of the preferences' alarms."""

    __tablename__ = "lesson_alarms"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    schedule_id: Mapped[int | None] = mapped_column(ForeignKey("tutor_schedules.id", ondelete="CASCADE"))
    series_id: Mapped[int | None] = mapped_column(ForeignKey("schedule_series.id", ondelete="CASCADE"))
    # NULL: explicitly no alarm.
    minutes_before: Mapped[int | None]
    # NULL: those of the preferences.
    channels: Mapped[list[str] | None] = mapped_column(ARRAY(String))
    fallback: Mapped[list[str] | None] = mapped_column(ARRAY(String))
    created_at: Mapped[datetime] = created_at()

    __table_args__ = (
        CheckConstraint("(schedule_id IS NULL) <> (series_id IS NULL)", name="subject"),
        CheckConstraint("minutes_before BETWEEN 0 AND 40320", name="minutes_before"),
        # Their indexes also serve the foreign keys.
        UniqueConstraint("schedule_id", "user_id", "minutes_before"),
        UniqueConstraint("series_id", "user_id", "minutes_before"),
    )


class NotificationChannel(Base):
    """A channel that a person registered: not used until confirmed by a code that was sent there."""

    __tablename__ = "notification_channels"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    # The address, encrypted: those of webhooks and chat services hold secrets.
    address: Mapped[bytes] = mapped_column(LargeBinary)
    # Its masked form, which may be shown.
    label: Mapped[str] = mapped_column(String(100))
    confirmed_at: Mapped[datetime | None]
    # A keyed hash of the code (HMAC-SHA-256, hexadecimal), until when it is valid, and how often it was guessed.
    code_hash: Mapped[str | None] = mapped_column(String(64))
    code_expires_at: Mapped[datetime | None]
    code_attempts: Mapped[int] = mapped_column(server_default=text("0"))
    # After a permanent failure, with its reason.
    disabled_at: Mapped[datetime | None]
    disabled_reason: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = created_at()
    # Failures that count against it since its last success, and when the first of them was.
    failures: Mapped[int] = mapped_column(server_default=text("0"))
    failing_since: Mapped[datetime | None]

    __table_args__ = (words("kind", CHANNEL_KINDS),)
