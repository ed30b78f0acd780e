"""What was typed on the board of a film, with its times: stored when the film is made."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.recording_texts import RecordingBoardTexts


@dataclass(frozen=True, slots=True)
class BoardText:
    """A text that appears `start_ms` milliseconds after the start of the recording."""

    start_ms: int
    text: str


def set_board_texts(session: Session, recording_id: int, texts: Sequence[BoardText]) -> None:
    """Replace the stored texts of a film."""
    columns = {"texts": [list(astuple(text)) for text in texts], "updated_at": func.now()}
    statement = insert(RecordingBoardTexts).values(recording_id=recording_id, **columns)
    session.execute(statement.on_conflict_do_update(index_elements=["recording_id"], set_=columns))


def stored_board_texts(session: Session, recording_id: int) -> list[BoardText] | None:
    """The texts of a film; None when none were stored."""
    texts = session.scalar(select(RecordingBoardTexts.texts).where(RecordingBoardTexts.recording_id == recording_id))
    return None if texts is None else [BoardText(*text) for text in texts]
