"""The texts of a recording: its chapters, its captions, and what was typed on its board."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, words
from models.states import CHAPTER_ORIGINS


class RecordingChapters(Base):
    """The chapters of a recording: those that were detected, and those that its tutor wrote, which take precedence."""

    __tablename__ = "recording_chapters"

    recording_id: Mapped[int] = mapped_column(
        ForeignKey("whiteboard_session_recordings.id", ondelete="CASCADE"), primary_key=True
    )
    origin: Mapped[str] = mapped_column(primary_key=True)
    # `{"start_ms", "title"}` in the order of their starts. A tutor may have removed all of them.
    chapters: Mapped[list[Any]]
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (words("origin", CHAPTER_ORIGINS),)


class RecordingCaptions(Base):
    """The captions of a recording in one language."""

    __tablename__ = "recording_captions"

    recording_id: Mapped[int] = mapped_column(
        ForeignKey("whiteboard_session_recordings.id", ondelete="CASCADE"), primary_key=True
    )
    # A tag of BCP 47, like `am`.
    language: Mapped[str] = mapped_column(String(35), primary_key=True)
    # `[start_ms, end_ms, text, settings]` in the order of their starts. The text is plain: no tags, no references.
    cues: Mapped[list[Any]]
    # The size of the WebVTT file that players get.
    bytes: Mapped[int]
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    __table_args__ = (CheckConstraint("bytes > 0", name="bytes"),)


class RecordingBoardTexts(Base):
    """What was typed on the board of a film, at the times of the film, which no other row has."""

    __tablename__ = "recording_board_texts"

    recording_id: Mapped[int] = mapped_column(
        ForeignKey("whiteboard_session_recordings.id", ondelete="CASCADE"), primary_key=True
    )
    # `[start_ms, text]` in the order of their starts.
    texts: Mapped[list[Any]]
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
