"""The digital whiteboard: a session has pages, a page has strokes, and activity is recorded as events."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, created_at, words
from models.states import (
    HOST_TYPES,
    PROFILE_TYPES,
    WHITEBOARD_EVENT_KINDS,
    WHITEBOARD_SESSION_STATUSES,
)

NO_PERMISSIONS = """'{"can_draw": false, "can_erase": false, "can_write": false}'::jsonb"""


def every_word(column: str, allowed: tuple[str, ...]) -> CheckConstraint:
    """A CHECK that every element of the array `column` is one of the allowed values."""
    quoted = ", ".join(f"'{word}'" for word in allowed)
    return CheckConstraint(f"{column} <@ ARRAY[{quoted}]::character varying[]", name=column)


class WhiteboardSession(Base):
    """One use of the whiteboard, usually during a lesson."""

    __tablename__ = "whiteboard_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_title: Mapped[str | None] = mapped_column(String(300))
    session_description: Mapped[str | None] = mapped_column(Text)
    # The booking of the lesson. NULL for a call between people without one.
    booking_id: Mapped[int | None] = mapped_column(ForeignKey("tutor_student_bookings.id"))
    # The lesson that takes place in this session.
    schedule_id: Mapped[int | None] = mapped_column(ForeignKey("tutor_schedules.id"), index=True)
    scheduled_start: Mapped[datetime | None]
    scheduled_end: Mapped[datetime | None]
    # When the lesson actually took place; recordings are placed on this time line.
    actual_start: Mapped[datetime | None]
    actual_end: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(String(50), server_default="scheduled")
    # A recording is running, since recording_started_at.
    is_recording: Mapped[bool] = mapped_column(server_default=text("false"))
    recording_started_at: Mapped[datetime | None]
    has_recordings: Mapped[bool] = mapped_column(server_default=text("false"))
    session_notes: Mapped[str | None] = mapped_column(Text)
    # What participants may do on the board; the host may do everything.
    student_permissions: Mapped[dict[str, Any]] = mapped_column(server_default=text(NO_PERMISSIONS))
    # The host: an id of the profile table that host_profile_type names, so no foreign key.
    host_profile_id: Mapped[int | None]
    host_profile_type: Mapped[str | None] = mapped_column(String(20))
    # Everybody else: element n of the types belongs to element n of the ids.
    participant_profile_ids: Mapped[list[int]] = mapped_column(ARRAY(Integer), server_default=text("'{}'::integer[]"))
    participant_profile_types: Mapped[list[str]] = mapped_column(
        ARRAY(String), server_default=text("'{}'::character varying[]")
    )
    created_at: Mapped[datetime] = created_at()
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    # Who opened it on the platform, where each side of a call has its own board; the tutor is host of the one here.
    # NULL: the host.
    opener_profile_id: Mapped[int | None]
    opener_profile_type: Mapped[str | None] = mapped_column(String(20))

    __table_args__ = (
        words("status", WHITEBOARD_SESSION_STATUSES),
        words("host_profile_type", HOST_TYPES),
        # Ids of tutors and students overlap: an id without its type names nobody.
        CheckConstraint("host_profile_id IS NULL OR host_profile_type IS NOT NULL", name="host"),
        words("opener_profile_type", HOST_TYPES),
        CheckConstraint("opener_profile_id IS NULL OR opener_profile_type IS NOT NULL", name="opener"),
        CheckConstraint(
            "cardinality(participant_profile_ids) = cardinality(participant_profile_types)",
            name="participants",
        ),
        every_word("participant_profile_types", PROFILE_TYPES),
        Index("ix_whiteboard_sessions_booking_id", "booking_id", "status"),
        Index("ix_whiteboard_sessions_status", "status", "scheduled_start"),
        Index("ix_whiteboard_sessions_host", "host_profile_type", "host_profile_id"),
        # Recently ended sessions.
        Index("ix_whiteboard_sessions_actual_end", "actual_end", postgresql_where=text("status = 'completed'")),
        Index("ix_whiteboard_sessions_participants", "participant_profile_ids", postgresql_using="gin"),
    )


class WhiteboardPage(Base):
    """A page of the board."""

    __tablename__ = "whiteboard_pages"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("whiteboard_sessions.id", ondelete="CASCADE"))
    # From 1.
    page_number: Mapped[int] = mapped_column(server_default=text("1"))
    page_title: Mapped[str | None] = mapped_column(String(200))
    # CSS colour.
    background_color: Mapped[str] = mapped_column(String(20), server_default="#FFFFFF")
    background_image: Mapped[str | None] = mapped_column(String(500))
    # The active page.
    is_active: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = created_at()
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    # The size of all stored strokes as JSON, to limit the size of a page.
    stroke_bytes: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))

    # Its index also serves the foreign key, session_id being its first column.
    __table_args__ = (UniqueConstraint("session_id", "page_number"),)


class WhiteboardEvent(Base):
    """Something that happened in a session: joins, leaves, page activations. Appended, never changed."""

    __tablename__ = "whiteboard_events"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("whiteboard_sessions.id", ondelete="CASCADE"))
    kind: Mapped[str]
    # Who did it; NULL when the worker itself ended the session.
    profile_id: Mapped[int | None]
    profile_type: Mapped[str | None]
    # The page that was activated. Deleted with it: the activation of a deleted page means nothing.
    page_id: Mapped[int | None] = mapped_column(ForeignKey("whiteboard_pages.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (
        words("kind", WHITEBOARD_EVENT_KINDS),
        words("profile_type", PROFILE_TYPES),
        CheckConstraint("kind <> 'page' OR page_id IS NOT NULL", name="page"),
        Index("ix_whiteboard_events_session_id", "session_id", "at", "id"),
    )
