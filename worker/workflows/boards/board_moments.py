"""What a board contributes to a recording: chapters, and the typed text, with times of the recording.

For a film they are stored when it is made, because only then is it known which stretches it leaves out. For other
recordings they are computed from the strokes whenever they are requested, since the lesson may continue.
"""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from models.recordings import Recording
from worker.canvases.replay.build_timeline import build_timeline
from worker.canvases.replay.find_chapters import find_chapters
from worker.canvases.replay.timeline import RecordedVoice, ReplayTimeline
from worker.canvases.replay.typed_history import load_typed_history
from worker.canvases.replay.typed_texts import typed_texts
from worker.recordings.films.films import is_film
from worker.recordings.films.recorded_when import recorded_when
from worker.recordings.reading import duration_ms
from worker.recordings.texts.board_texts import BoardText, set_board_texts, stored_board_texts
from worker.recordings.texts.chapters import Chapter, ChapterList, set_chapters, stored_chapters


@dataclass(frozen=True, slots=True)
class ShownPage:
    """This page of the board was shown from `start_ms` of the recording."""

    start_ms: int
    page_id: int
    page_number: int


def chapters_of(session: Session, recording: Recording) -> ChapterList:
    """The chapters shown with a recording: its tutor's, or else those found automatically."""
    stored = stored_chapters(session, recording.id)
    if stored is not None:
        return stored
    moments = _computed(session, recording)
    chapters = _chapters(moments) if moments is not None else ()
    return ChapterList("automatic" if chapters else None, chapters)


def board_texts_of(session: Session, recording: Recording) -> list[BoardText]:
    """The text that was typed while a recording was made, in the order of its times."""
    stored = stored_board_texts(session, recording.id)
    if stored is not None:
        return stored
    moments = _computed(session, recording)
    return _texts(moments) if moments is not None else []


def shown_pages_of(session: Session, recording: Recording) -> list[ShownPage]:
    """Which page of the board was shown while a recording was made, in order; empty for a film of the board itself."""
    moments = _computed(session, recording)
    if moments is None:
        return []
    turns = [turn for turn in moments.timeline.turns if turn.at < moments.duration_ms]
    shown = [(turn.at, moments.timeline.pages[turn.page]) for turn in turns]
    return [ShownPage(at, page.page_id, page.number) for at, page in shown if page.page_id is not None]


def store_moments(session: Session, recording_id: int, timeline: ReplayTimeline | None) -> None:
    """Store the chapters and texts of a film with this timeline; None: it shows no strokes."""
    moments = None if timeline is None else _BoardTimes(timeline, timeline.duration_ms)
    set_chapters(session, recording_id, "automatic", _chapters(moments) if moments else ())
    set_board_texts(session, recording_id, _texts(moments) if moments else ())


@dataclass(frozen=True)
class _BoardTimes:
    """A board over time, for a recording of this length."""

    timeline: ReplayTimeline
    duration_ms: int


def _computed(session: Session, recording: Recording) -> _BoardTimes | None:
    """The board while the recording was made; None if nothing was drawn, or its times are unknown."""
    length, stretches = duration_ms(recording), recorded_when(recording)
    if not recording.is_available or not length or not stretches or is_film(session, recording):
        return None
    history = load_typed_history(session, recording.session_id)
    if history is None:
        return None
    voices = [RecordedVoice(recording.id, stretches)]
    timeline = build_timeline(history.board, turns=history.turns, until=history.ended_at, voices=voices)
    return _BoardTimes(timeline, length)


def _chapters(moments: _BoardTimes) -> tuple[Chapter, ...]:
    chapters = find_chapters(moments.timeline, moments.duration_ms)
    return tuple(Chapter(chapter.at, chapter.title) for chapter in chapters)


def _texts(moments: _BoardTimes) -> list[BoardText]:
    return [BoardText(typed.at, typed.text) for typed in typed_texts(moments.timeline, moments.duration_ms)]
