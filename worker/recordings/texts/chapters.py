"""The chapters of recordings: those found automatically, and those of the tutor, which take precedence."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.recording_texts import RecordingChapters
from worker.media.captions.cue import Cue

Origin = Literal["automatic", "tutor"]
# The length of the last chapter if that of the recording is unknown.
_LAST_MS = 60_000


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter: starts `start_ms` milliseconds after the start of its recording, ends where the next one starts."""

    start_ms: int
    title: str


@dataclass(frozen=True)
class ChapterList:
    """The chapters of a recording in order, and who wrote them; `origin` is None when there are none."""

    origin: Origin | None
    chapters: tuple[Chapter, ...]


def set_chapters(session: Session, recording_id: int, origin: Origin, chapters: Sequence[Chapter]) -> None:
    """Replace the stored chapters of this origin."""
    columns = {"chapters": [asdict(chapter) for chapter in chapters], "updated_at": func.now()}
    statement = insert(RecordingChapters).values(recording_id=recording_id, origin=origin, **columns)
    session.execute(statement.on_conflict_do_update(index_elements=["recording_id", "origin"], set_=columns))


def set_scene_chapters(session: Session, recording_id: int, starts: Sequence[int]) -> None:
    """Replace the automatic chapters by ones that begin at these times; none if `starts` is empty."""
    if starts:
        chapters = [Chapter(at, f"Part {number}") for number, at in enumerate(starts, start=1)]
        set_chapters(session, recording_id, "automatic", chapters)
        return
    session.execute(
        delete(RecordingChapters).where(
            RecordingChapters.recording_id == recording_id, RecordingChapters.origin == "automatic"
        )
    )


def delete_tutors_chapters(session: Session, recording_id: int) -> None:
    """Delete the tutor's chapters, so that the automatic ones are shown again. Idempotent."""
    session.execute(
        delete(RecordingChapters).where(
            RecordingChapters.recording_id == recording_id, RecordingChapters.origin == "tutor"
        )
    )


def stored_chapters(session: Session, recording_id: int) -> ChapterList | None:
    """The tutor's chapters, or else the automatic ones; None when neither are stored."""
    query = select(RecordingChapters).where(RecordingChapters.recording_id == recording_id)
    row = session.scalar(query.order_by((RecordingChapters.origin == "tutor").desc()).limit(1))
    if row is None:
        return None
    chapters = tuple(Chapter(**chapter) for chapter in row.chapters)
    if row.origin == "tutor":
        return ChapterList("tutor", chapters)
    return ChapterList("automatic" if chapters else None, chapters)


def chapter_cues(chapters: Sequence[Chapter], duration_ms: int | None) -> list[Cue]:
    """The chapters as WebVTT cues, each until the next one, the last until the end of the recording."""
    starts = [chapter.start_ms for chapter in chapters]
    last = starts[-1] + _LAST_MS if starts and duration_ms is None else duration_ms or 0
    return [
        Cue(chapter.start_ms, max(end, chapter.start_ms + 1), chapter.title)
        for chapter, end in zip(chapters, [*starts[1:], last], strict=False)
    ]
