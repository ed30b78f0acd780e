"""Treat a film that a job has made like an uploaded file: spool it, register it, and ingest it."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy.orm import Session

from worker.errors import AstegniError
from worker.recordings.films.films import find_film, lock_films
from worker.recordings.ingest.extend import extend_recording
from worker.recordings.ingest.register import NewRecording, RegistrationResult, register_recording
from worker.uploads.spool_writer import SpoolFile
from worker.workflows.context import WorkerContext

LONGEST_TITLE = 255
_CHUNK = 1024 * 1024


class SourcesChanged(AstegniError):
    """A recording arrived or was deleted while a film was made from the others; the retry uses the current ones."""

    code, title, status, retryable = "sources-changed", "Recordings changed", 503, True


def spool_film(context: WorkerContext, film: Path) -> SpoolFile:
    """The film as a file of the spool, as if somebody had uploaded it."""
    size = film.stat().st_size
    with context.spool.receive(limit=size, expected=size) as receiver, film.open("rb") as file:
        while chunk := file.read(_CHUNK):
            receiver.write(chunk)
        return receiver.seal()


def register_film(
    context: WorkerContext, new: NewRecording, is_current: Callable[[Session], bool] = lambda _session: True
) -> RegistrationResult:
    """The recording of this film: a new one, or the existing one with the same bytes; the second copy is then removed.

    A film with an `origin` replaces the earlier one of its session and origin. Raises SourcesChanged when `is_current`
    returns False, because the sources have changed; no other such film can be registered while it is called.
    """
    try:
        with context.database.transaction() as session:
            registered = _register(session, new, is_current)
    except SourcesChanged:
        context.spool.remove(new.spool_name)
        raise
    if not registered.is_new:
        context.spool.remove(new.spool_name)
    return registered


def _register(session: Session, new: NewRecording, is_current: Callable[[Session], bool]) -> RegistrationResult:
    if new.origin is None:
        return register_recording(session, new)
    lock_films(session, new.session_id, new.origin)
    if not is_current(session):
        raise SourcesChanged("Recordings of the session changed while they were filmed; they are filmed again.")
    earlier = find_film(session, new.session_id, new.origin, but_not=new.sha1)
    return register_recording(session, new) if earlier is None else extend_recording(session, earlier, new)
