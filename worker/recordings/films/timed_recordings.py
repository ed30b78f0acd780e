"""The playable recordings of a session whose clock times are known."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.recordings import Recording
from worker.media.probing.recorded_time import RecordedStretch
from worker.recordings.films.films import is_film
from worker.recordings.films.recorded_when import recorded_when


@dataclass(frozen=True)
class TimedRecording:
    """A recording, and when its stretches were recorded."""

    recording_id: int
    stretches: tuple[RecordedStretch, ...]


def timed_recordings(session: Session, session_id: int) -> list[TimedRecording]:
    """These recordings in the order in which they began; films of boards have no clock times."""
    rows = session.scalars(select(Recording).where(Recording.session_id == session_id, Recording.is_available))
    timed = [TimedRecording(row.id, recorded_when(row)) for row in rows if not is_film(session, row)]
    begun = [recording for recording in timed if recording.stretches]
    return sorted(begun, key=lambda recording: (recording.stretches[0].begun, recording.recording_id))
