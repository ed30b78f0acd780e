"""A film that a job has made goes the way of an uploaded file: into the spool, registered, ingested."""

from pathlib import Path

from worker.recordings.extend import extend_recording
from worker.recordings.films import find_film
from worker.recordings.register import NewRecording, RegistrationResult, register_recording
from worker.uploads.spool_writer import SpoolFile
from worker.workflows.context import WorkerContext

LONGEST_TITLE = 255
_CHUNK = 1024 * 1024


def spool_film(context: WorkerContext, film: Path) -> SpoolFile:
    """The film as a file of the spool, as if somebody had uploaded it."""
    size = film.stat().st_size
    with context.spool.receive(limit=size, expected=size) as receiver, film.open("rb") as file:
        while chunk := file.read(_CHUNK):
            receiver.write(chunk)
        return receiver.seal()


def register_film(context: WorkerContext, new: NewRecording) -> RegistrationResult:
    """The recording of this film: new, or the existing one with the same bytes; then the second copy is removed.

    A film with an `origin` replaces the earlier one of its session and origin.
    """
    with context.database.transaction() as session:
        earlier = new.origin and find_film(session, new.session_id, new.origin, but_not=new.sha1)
        registered = extend_recording(session, earlier, new) if earlier else register_recording(session, new)
    if not registered.is_new:
        context.spool.remove(new.spool_name)
    return registered
