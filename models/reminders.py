"""Notifications: alarms and preferences say what people want, a delivery is one message."""

from datetime import datetime, time
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, created_at, words
from models.states import CALENDARS, CHANNEL_KINDS, DELIVERY_STATES, MESSAGE_KINDS


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
    # NULL: the language, zone of the person's account.
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
    # NULL: no alarm at all, which can be wanted, too.
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
    # What may be shown of it.
    label: Mapped[str] = mapped_column(String(100))
    confirmed_at: Mapped[datetime | None]
    # SHA-256 of the code, hexadecimal, until when it is valid, and how often it was guessed.
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


class Delivery(Base):
    """One message to one person by one channel: when it is due, and its outcome."""

    __tablename__ = "deliveries"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    # A kind, or the id of a row of `notification_channels` as text.
    channel: Mapped[str] = mapped_column(String(20))
    # The lesson of a reminder, or of a change. Deleted with it: nobody is notified of a lesson that never existed.
    schedule_id: Mapped[int | None] = mapped_column(ForeignKey("tutor_schedules.id", ondelete="CASCADE"))
    # Of a reminder: which alarm, and the start that it was planned for.
    minutes_before: Mapped[int | None]
    starts_at: Mapped[datetime | None]
    # What the text needs and no row holds any more when it is sent, e.g. when a moved lesson was before.
    data: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    # The same message is planned once: the idempotency key that receivers see, too.
    key: Mapped[str] = mapped_column(String(200))
    # Attempted from then on; postponed by retries and quiet hours.
    due_at: Mapped[datetime]
    # Not worth sending after this.
    expires_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(20), server_default="pending")
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    # Fencing token and end of the lease of the process that is sending it.
    send_token: Mapped[Any | None] = mapped_column(Uuid)
    lease_until: Mapped[datetime | None]
    # Why it failed or was dropped.
    reason: Mapped[str | None] = mapped_column(String(200))
    sent_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = created_at()
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    # The entry of the person's timetable that a reminder is about; deleted with it, too.
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("timetable_entries.id", ondelete="CASCADE"))

    __table_args__ = (
        words("kind", MESSAGE_KINDS),
        words("state", DELIVERY_STATES),
        UniqueConstraint("key", "user_id", "channel"),
        # Two, so that a claim of waiting rows does not scan those that others have claimed: there may be thousands.
        Index("ix_deliveries_pending", "due_at", "id", postgresql_where=text("state = 'pending'")),
        Index("ix_deliveries_sending", "id", postgresql_where=text("state = 'sending'")),
        Index("ix_deliveries_schedule_id", "schedule_id", "user_id"),
        Index("ix_deliveries_entry_id", "entry_id"),
        # Ended deliveries by time: deleted after their retention.
        Index("ix_deliveries_over", "updated_at", postgresql_where=text("state NOT IN ('pending', 'sending')")),
    )


class ProviderTrouble(Base):
    """A provider that refuses our messages for reasons not of the recipient; deleted when it accepts one."""

    __tablename__ = "provider_troubles"

    # Like `email:smtp.example.org`.
    provider: Mapped[str] = mapped_column(String(300), primary_key=True)
    # When it was first refused, and last.
    since: Mapped[datetime]
    last_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(String(200))


class Notification(Base):
    """A message in the app: unread until the person reads it."""

    __tablename__ = "notifications"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(255))
    message: Mapped[str] = mapped_column(Text)
    # Where it leads: ids of the lesson, request or recording.
    data: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    # The delivery that created it, once. No foreign key: it outlives that row.
    delivery_id: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    created_at: Mapped[datetime] = created_at()
    read_at: Mapped[datetime | None]

    __table_args__ = (
        words("kind", MESSAGE_KINDS),
        Index("ix_notifications_user_id", "user_id", "id"),
        Index("ix_notifications_unread", "user_id", postgresql_where=text("read_at IS NULL")),
    )
