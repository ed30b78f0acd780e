"""Search in a recording: its captions, its chapters, and the text that was typed on its board."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from models.recordings import Recording
from worker.recordings.texts.captions import all_captions
from worker.recordings.texts.fold_text import contains, fold_text
from worker.workflows.boards.board_moments import board_texts_of, chapters_of

# Nobody looks through more; `total` is the actual number.
MAX_MATCHES = 200


@dataclass(frozen=True, slots=True)
class Match:
    """A place of a recording; `language` is that of a caption."""

    kind: Literal["caption", "chapter", "board"]
    start_ms: int
    text: str
    language: str | None = None


@dataclass(frozen=True)
class Matches:
    """The first matches, ordered by time, and their total number."""

    matches: tuple[Match, ...]
    total: int


def search_recording(session: Session, recording: Recording, query: str) -> Matches:
    """The places where all words of the query occur together; none for a query without a letter or digit."""
    words = fold_text(query).split()
    if not words:
        return Matches((), 0)
    matches = [match for match in _places(session, recording) if contains(fold_text(match.text), words)]
    matches.sort(key=lambda match: match.start_ms)
    return Matches(tuple(matches[:MAX_MATCHES]), len(matches))


def _places(session: Session, recording: Recording) -> Iterator[Match]:
    for chapter in chapters_of(session, recording).chapters:
        yield Match("chapter", chapter.start_ms, chapter.title)
    for typed in board_texts_of(session, recording):
        yield Match("board", typed.start_ms, typed.text)
    for language, cues in all_captions(session, recording.id):
        for cue in cues:
            yield Match("caption", cue.start_ms, cue.text, language)
