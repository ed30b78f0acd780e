"""Recordings of whiteboard sessions, and every output made from them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, created_at, words
from models.states import RECORDING_TYPES, RENDITION_STATES


class Recording(Base):
    """One recording: processing, then available, or neither when its ingest failed (`error` says why)."""

    __tablename__ = "whiteboard_session_recordings"

    id: Mapped[int] = mapped_column(primary_key=True)
    # RESTRICT: a cascade from the session would drop the rows and leave their objects on B2 without a name.
    session_id: Mapped[int] = mapped_column(ForeignKey("whiteboard_sessions.id", ondelete="RESTRICT"))
    recording_title: Mapped[str | None] = mapped_column(String(255))
    recording_type: Mapped[str] = mapped_column(String(50), server_default="video")
    # Unsigned address of the fast copy; a player asks for a signed one.
    file_url: Mapped[str | None] = mapped_column(Text)
    # Of the fast copy, like file_url; the rendition `source` describes the upload.
    file_size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    duration_seconds: Mapped[int | None]
    # Unsigned address of the poster.
    thumbnail_url: Mapped[str | None] = mapped_column(Text)
    # The board when the recording was made. Deferred, because it may have megabytes.
    board_snapshot: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True), deferred=True)
    # Resolution, codecs and other findings of the probe.
    recording_metadata: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    # When the recording began, if the client stated it; else when it was uploaded.
    recording_date: Mapped[datetime] = mapped_column(server_default=text("now()"))
    is_processing: Mapped[bool] = mapped_column(server_default=text("false"))
    is_available: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = created_at()
    # Who recorded. The recording stays with the lesson when the account is deleted.
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    # SHA-1 of the source in lower-case hex: the same bytes in one session and type are one recording.
    source_sha1: Mapped[str | None] = mapped_column(String(40))
    # The spool that received the upload, and its file there while the bytes are nowhere else; afterwards NULL.
    spool_id: Mapped[str | None]
    spool_name: Mapped[str | None]
    # The ingest. Jobs are pruned, recordings stay.
    job_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("jobs.id", ondelete="SET NULL"), index=True)
    # The problem document (RFC 9457) of a failed ingest.
    error: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    # Pauses and gaps of the recorder: `{"kind", "from_ms", "to_ms"}`, milliseconds since the recording began.
    marks: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))

    __table_args__ = (
        words("recording_type", RECORDING_TYPES),
        CheckConstraint("source_sha1 ~ '^[0-9a-f]{40}$'", name="source_sha1"),
        CheckConstraint("spool_name IS NULL OR spool_id IS NOT NULL", name="spool"),
        Index("ix_whiteboard_session_recordings_session_id", "session_id", "id"),
        # Which files of a spool are still needed.
        Index(
            "ix_whiteboard_session_recordings_spool",
            "spool_id",
            "spool_name",
            postgresql_where=text("spool_name IS NOT NULL"),
        ),
        # A failed or deleted recording does not prevent uploading the same bytes again.
        Index(
            "uq_recordings_live_source",
            "session_id",
            "recording_type",
            "source_sha1",
            unique=True,
            postgresql_where=text("source_sha1 IS NOT NULL AND (is_processing OR is_available)"),
        ),
    )


class Rendition(Base):
    """One output of a recording. Parallel jobs each write their own row, never one another's."""

    __tablename__ = "recording_renditions"

    id: Mapped[int] = mapped_column(primary_key=True)
    recording_id: Mapped[int] = mapped_column(ForeignKey("whiteboard_session_recordings.id", ondelete="CASCADE"))
    # `source`, `playback`, `poster`, `360p`. Unchecked: each new kind of output has its own name.
    name: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="pending")
    # Why it failed, for people.
    reason: Mapped[str | None]
    # Where it is on B2, and B2's id of that version.
    object_name: Mapped[str | None] = mapped_column(unique=True)
    file_id: Mapped[str | None]
    # Lower-case hex, as B2 verified it.
    sha1: Mapped[str | None]
    bytes: Mapped[int | None] = mapped_column(BigInteger)
    # Media type, and the `codecs` parameter of RFC 6381.
    mime: Mapped[str | None]
    codecs: Mapped[str | None]
    # Pixels as shown.
    width: Mapped[int | None]
    height: Mapped[int | None]
    # Bits per second.
    bit_rate: Mapped[int | None]
    duration_ms: Mapped[int | None]
    created_at: Mapped[datetime] = created_at()
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    # Byte ranges of a fragmented MP4: `{"init": bytes of the header, "start": offset of the first segment,
    # "parts": [[milliseconds, bytes], …]}`, without space between the segments.
    segments: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    # Of a sheet of a storyboard: the size of its tiles, tiles per row, and the moment that each shows.
    tiles: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))

    __table_args__ = (
        words("state", RENDITION_STATES),
        # HLS has no object: the API writes its playlists.
        CheckConstraint("state <> 'ready' OR object_name IS NOT NULL OR name = 'hls'", name="ready"),
        # Its index also serves the foreign key, recording_id being its first column.
        UniqueConstraint("recording_id", "name"),
        # In byte order, as Backblaze lists names.
        Index("ix_recording_renditions_object_name", object_name.collate("C")),
        # For the metrics: what is pending, and what ended within an hour.
        Index("ix_recording_renditions_pending", "name", postgresql_where=text("state = 'pending'")),
        Index("ix_recording_renditions_ended", "updated_at", postgresql_where=text("state <> 'pending'")),
    )
