"""The captions of recordings: one row for each language."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.recording_texts import RecordingCaptions
from worker.errors import Conflict, NotFound
from worker.media.captions.cue import Cue
from worker.media.captions.write_webvtt import write_webvtt

# More languages than Ethiopia's schools teach in.
MAX_LANGUAGES = 20
# Over all languages: a search reads all of them.
MAX_BYTES = 4_000_000


@dataclass(frozen=True)
class CaptionTrack:
    """The captions in one language, without their cues; `bytes` is the size of the WebVTT file."""

    language: str
    count: int
    bytes: int
    updated_at: datetime


_TRACK = (
    RecordingCaptions.language,
    func.jsonb_array_length(RecordingCaptions.cues).label("count"),
    RecordingCaptions.bytes,
    RecordingCaptions.updated_at,
)


def set_captions(session: Session, recording_id: int, language: str, cues: Sequence[Cue]) -> CaptionTrack:
    """Replace the stored captions in a language. The caller has locked the recording.

    Raises Conflict when the recording has too many captions in other languages.
    """
    size = len(write_webvtt(cues))
    _require_room(session, recording_id, language, size)
    columns = {"cues": [list(astuple(cue)) for cue in cues], "bytes": size, "updated_at": func.now()}
    statement = insert(RecordingCaptions).values(recording_id=recording_id, language=language, **columns)
    row = session.execute(
        statement.on_conflict_do_update(index_elements=["recording_id", "language"], set_=columns).returning(*_TRACK)
    ).one()
    return _track(row)


def delete_captions(session: Session, recording_id: int, language: str) -> None:
    """Delete the captions of a language. Raises NotFound."""
    statement = delete(RecordingCaptions).where(*_of(recording_id, language)).returning(RecordingCaptions.language)
    if session.scalar(statement) is None:
        raise _missing(recording_id, language)


def caption_tracks(session: Session, recording_id: int) -> list[CaptionTrack]:
    """The languages in which a recording has captions, ordered by tag."""
    query = select(*_TRACK).where(RecordingCaptions.recording_id == recording_id)
    return [_track(row) for row in session.execute(query.order_by(RecordingCaptions.language))]


def find_captions(session: Session, recording_id: int, language: str) -> tuple[CaptionTrack, list[Cue]]:
    """The captions of a recording in a language. Raises NotFound."""
    row = session.execute(select(*_TRACK, RecordingCaptions.cues).where(*_of(recording_id, language))).one_or_none()
    if row is None:
        raise _missing(recording_id, language)
    return _track(row), _cues(row.cues)


def all_captions(session: Session, recording_id: int) -> list[tuple[str, list[Cue]]]:
    """The captions of a recording in all languages."""
    query = select(RecordingCaptions.language, RecordingCaptions.cues).where(
        RecordingCaptions.recording_id == recording_id
    )
    return [(row.language, _cues(row.cues)) for row in session.execute(query.order_by(RecordingCaptions.language))]


def _require_room(session: Session, recording_id: int, language: str, size: int) -> None:
    others = select(func.count(), func.coalesce(func.sum(RecordingCaptions.bytes), 0)).where(
        RecordingCaptions.recording_id == recording_id, RecordingCaptions.language != language
    )
    count, total = session.execute(others).one()
    if count >= MAX_LANGUAGES or total + size > MAX_BYTES:
        raise Conflict(
            f"Recording {recording_id} has {total} bytes of captions in {count} other languages; at most "
            f"{MAX_BYTES} bytes in {MAX_LANGUAGES} languages are kept. Delete those of one language first."
        )


def _of(recording_id: int, language: str) -> tuple[Any, ...]:
    return RecordingCaptions.recording_id == recording_id, RecordingCaptions.language == language


def _track(row: Any) -> CaptionTrack:
    return CaptionTrack(*row[:4])


def _cues(stored: Sequence[Sequence[Any]]) -> list[Cue]:
    return [Cue(*cue) for cue in stored]


def _missing(recording_id: int, language: str) -> NotFound:
    return NotFound(f"Recording {recording_id} has no captions in the language {language}.")
