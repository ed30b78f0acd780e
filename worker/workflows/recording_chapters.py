"""The chapters of a recording: its tutor's, else those that were found when it was made."""

from sqlalchemy.orm import Session

from models.recordings import Recording
from worker.recordings.chapters import ChapterList, stored_chapters


def chapters_of(session: Session, recording: Recording) -> ChapterList:
    """The chapters that are shown with this recording."""
    return stored_chapters(session, recording.id) or ChapterList(None, ())
