"""Strokes: what is drawn on the pages of whiteboards."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ForeignKey,
    Index,
    String,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, created_at, words
from models.states import (
    PROFILE_TYPES,
    STROKE_TYPES,
)


class Stroke(Base):
    """One stroke as the board's client sent it. Undone and cleared ones stay, marked deleted."""

    __tablename__ = "whiteboard_canvas_data"

    id: Mapped[int] = mapped_column(primary_key=True)
    page_id: Mapped[int] = mapped_column(ForeignKey("whiteboard_pages.id", ondelete="CASCADE"))
    # The session of the page, repeated so that a whole lesson is read by one index.
    session_id: Mapped[int] = mapped_column(ForeignKey("whiteboard_sessions.id", ondelete="CASCADE"))
    # Who drew. The lesson stays readable for the others when the account is deleted.
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    stroke_type: Mapped[str] = mapped_column(String(50))
    # Points or geometry in CSS pixels of the client's canvas, colour, width.
    stroke_data: Mapped[dict[str, Any]]
    # Order on the page. Rows of the platform may share a number: then by id.
    stroke_order: Mapped[int] = mapped_column(server_default=text("0"))
    # Undone or cleared, at deleted_at: a replay shows it until then.
    is_deleted: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = created_at()
    # The profile the drawer acted as.
    profile_id: Mapped[int | None]
    profile_type: Mapped[str | None] = mapped_column(String(20))
    # The client's own id of the stroke: makes sending idempotent.
    client_id: Mapped[str | None]
    # When the pen went down and up, if the client stated it.
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]

    __table_args__ = (
        words("stroke_type", STROKE_TYPES),
        words("profile_type", PROFILE_TYPES),
        Index("ix_whiteboard_canvas_data_page_id", "page_id", "is_deleted", "stroke_order", "id"),
        Index("ix_whiteboard_canvas_data_session_id", "session_id", "created_at"),
        Index(
            "uq_whiteboard_canvas_data_client_id",
            "page_id",
            "client_id",
            unique=True,
            postgresql_where=text("client_id IS NOT NULL"),
        ),
    )
