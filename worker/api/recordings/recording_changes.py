"""Who may change what belongs to a recording: its tutor, or an operator."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from models.recordings import Recording
from worker.access.callers import Caller, UserCaller
from worker.access.session_access import session_for
from worker.access.visibility import visible_recordings
from worker.api.services import Services
from worker.errors import NotFound
from worker.recordings.reading import find_recording
from worker.recordings.source import lock_recording


@contextmanager
def changing_recording(services: Services, caller: Caller, recording_id: int) -> Iterator[tuple[Session, Recording]]:
    """A transaction in which the recording is locked. Raises NotFound, and Forbidden for a caller who may only read."""
    with services.database.transaction() as session:
        changeable_recording(session, caller, recording_id)
        recording = lock_recording(session, recording_id)
        if recording is None:
            raise NotFound(f"There is no recording {recording_id}.")
        yield session, recording


def changeable_recording(session: Session, caller: Caller, recording_id: int) -> Recording:
    """The recording, when the caller may change it. Raises NotFound, and Forbidden for a caller who may only read."""
    recording = find_recording(session, recording_id, visible_recordings(caller))
    session_for(session, caller, recording.session_id, change=isinstance(caller, UserCaller))
    return recording
