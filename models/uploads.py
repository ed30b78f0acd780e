"""Uploads that are sent in pieces (tus 1.0): the row of each; its bytes are in a spool."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, created_at, words
from models.states import RECORDING_TYPES, UPLOAD_STATES


class Upload(Base):
    """One upload. The number of bytes that have arrived is the size of its file, not a column."""

    __tablename__ = "uploads"

    # 128 random bits in lower-case hex; also the name of its file in the spool.
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    # Who created it, like `user:1`: nobody else can see it.
    principal: Mapped[str] = mapped_column(Text)
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    # CASCADE: a file without a row is swept.
    session_id: Mapped[int] = mapped_column(ForeignKey("whiteboard_sessions.id", ondelete="CASCADE"), index=True)
    # What its bytes became; NULL while it is open for the first time, and when the recording was deleted.
    recording_id: Mapped[int | None] = mapped_column(
        ForeignKey("whiteboard_session_recordings.id", ondelete="SET NULL"), index=True
    )
    # `recovered`: it was abandoned, and what had arrived became the recording.
    state: Mapped[str] = mapped_column(server_default="open")
    # The spool that has its file.
    spool_id: Mapped[str]
    recording_type: Mapped[str] = mapped_column(String(50), server_default="video")
    title: Mapped[str | None] = mapped_column(String(255))
    filename: Mapped[str | None] = mapped_column(String(255))
    # As the client stated it; the bytes decide.
    media_type: Mapped[str | None] = mapped_column(String(255))
    # When the recording began, by the server's clock.
    started_at: Mapped[datetime | None]
    # Server time minus the device's time, as the client measured it.
    clock_offset_ms: Mapped[int | None] = mapped_column(BigInteger)
    # Pauses and gaps of the recorder: `{"kind", "from_ms", "to_ms"}`, milliseconds since `started_at`.
    marks: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    # Bytes of the whole file; NULL until the client states it.
    length: Mapped[int | None] = mapped_column(BigInteger)
    # Bytes that count against the limit of its creator while it is open.
    reserved: Mapped[int] = mapped_column(BigInteger)
    # How many of its bytes are in the recording.
    recorded_bytes: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    created_at: Mapped[datetime] = created_at()
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    # Where an API with its spool is reached, without a slash at the end; NULL without UPLOAD_BASE_URL.
    base_url: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        words("state", UPLOAD_STATES),
        words("recording_type", RECORDING_TYPES),
        CheckConstraint("id ~ '^[0-9a-f]{32}$'", name="id"),
        CheckConstraint("length > 0", name="length"),
        CheckConstraint("reserved >= 0", name="reserved"),
        CheckConstraint("recorded_bytes >= 0", name="recorded_bytes"),
        Index("ix_uploads_principal", "principal", "session_id"),
        Index("ix_uploads_open", "spool_id", postgresql_where=text("state = 'open'")),
    )
