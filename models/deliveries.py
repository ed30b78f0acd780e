"""Deliveries: the messages to people that are planned and were sent, and providers that fail."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Identity,
    Index,
    String,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, created_at, words
from models.states import DELIVERY_STATES, MESSAGE_KINDS


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
    # What the text needs and no row has any more when it is sent, e.g. the former time of a moved lesson.
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
        # Few: for the later announcements that contradict one.
        Index(
            "ix_deliveries_announcements",
            "user_id",
            "id",
            postgresql_where=text("kind IN ('lesson-moved', 'lesson-cancelled', 'lesson-restored', 'lesson-booked')"),
        ),
        # Ended deliveries by time: deleted after their retention.
        Index("ix_deliveries_over", "updated_at", postgresql_where=text("state NOT IN ('pending', 'sending')")),
        # Only postponed deliveries, few of the millions that wait; for the metrics.
        Index(
            "ix_deliveries_put_off",
            "channel",
            postgresql_where=text("state IN ('pending', 'sending') AND reason IS NOT NULL"),
        ),
        # Each row is updated twice: vacuum before a fifth of all have been; the indexes every time, as in jobs.
        {"postgresql_with": {"autovacuum_vacuum_scale_factor": "0.01", "vacuum_index_cleanup": "on"}},
    )


class ProviderTrouble(Base):
    """A provider that refuses our messages for a reason other than the recipient; deleted when it accepts one."""

    __tablename__ = "provider_troubles"

    # Like `email:smtp.example.org`.
    provider: Mapped[str] = mapped_column(String(300), primary_key=True)
    # When it was first refused, and last.
    since: Mapped[datetime]
    last_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(String(200))
