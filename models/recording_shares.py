"""Addresses of recordings that need no token."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, created_at


class RecordingShare(Base):
    """An address that opens one recording for whoever knows it. Only a hash of its secret is kept. Revoked: deleted."""

    __tablename__ = "recording_shares"

    id: Mapped[int] = mapped_column(primary_key=True)
    recording_id: Mapped[int] = mapped_column(
        ForeignKey("whiteboard_session_recordings.id", ondelete="CASCADE"), index=True
    )
    # SHA-256 of the secret, hexadecimal.
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    # Who made it; NULL: an operator, or an account that was deleted.
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime] = created_at()
    expires_at: Mapped[datetime] = mapped_column(index=True)
    # The part that a player plays; NULL: from the beginning, or to the end. The files contain the whole recording.
    from_seconds: Mapped[int | None]
    to_seconds: Mapped[int | None]
    # How often a player has opened it, and when last.
    opened: Mapped[int] = mapped_column(server_default=text("0"))
    opened_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("from_seconds >= 0", name="from_seconds"),
        CheckConstraint("to_seconds > coalesce(from_seconds, 0)", name="to_seconds"),
    )
