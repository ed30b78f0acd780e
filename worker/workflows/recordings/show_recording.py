"""Everything known about one recording, for operators: row, renditions, captions, jobs, and its objects on B2."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import inspect
from sqlalchemy.orm import Session

from models.base import Base
from worker.database import Database
from worker.errors import AstegniError, NotFound
from worker.jobs.operations.reading import list_jobs
from worker.recordings.objects.names import recording_prefix
from worker.recordings.outputs.renditions import renditions_of
from worker.recordings.reading import read_recording
from worker.recordings.texts.captions import caption_tracks
from worker.storage.objects import StoredObject
from worker.storage.store import ObjectStore

_MAX_JOBS = 50
# Megabytes of strokes, and lists of byte ranges.
_LEFT_OUT = frozenset({"board_snapshot", "segments", "tiles"})


@dataclass(frozen=True)
class ShownRecording:
    """The recording as JSON values; with an `error` of B2, its `objects` and their `bytes` are None."""

    document: dict[str, Any]
    error: AstegniError | None = None


def show_recording(database: Database, store: Callable[[], ObjectStore], recording_id: int) -> ShownRecording:
    """What is known about the recording; `rendition` of an object is the row that names it, None for an orphan.

    Includes at most its fifty latest jobs. Raises NotFound.
    """
    with database.transaction() as session:
        document, prefix, named = _read(session, recording_id)
    try:
        objects = [_object(stored, named.get(stored.name)) for stored in store().list(prefix)]
    except AstegniError as error:
        return ShownRecording({**document, "objects": None, "bytes": None}, error)
    return ShownRecording({**document, "objects": objects, "bytes": sum(each["bytes"] for each in objects)})


def _read(session: Session, recording_id: int) -> tuple[dict[str, Any], str, dict[str, str]]:
    recording = read_recording(session, recording_id)
    if recording is None:
        raise NotFound(f"There is no recording {recording_id}.")
    rows = renditions_of(session, recording_id)
    document = {
        "recording": _columns(recording),
        "renditions": [_columns(row) for row in rows],
        "captions": [track.language for track in caption_tracks(session, recording_id)],
        "jobs": [job.document for job in list_jobs(session, subject=f"recording:{recording_id}", limit=_MAX_JOBS)],
    }
    named = {row.object_name: row.name for row in rows if row.object_name is not None}
    return document, recording_prefix(recording.session_id, recording_id), named


def _columns(row: Base) -> dict[str, Any]:
    names = [attribute.key for attribute in inspect(row).mapper.column_attrs if attribute.key not in _LEFT_OUT]
    return {name: _plain(getattr(row, name)) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def _object(stored: StoredObject, rendition: str | None) -> dict[str, Any]:
    return {
        "name": stored.name,
        "rendition": rendition,
        "bytes": stored.size,
        "sha1": stored.sha1,
        "uploaded_at": stored.uploaded_at.isoformat(),
    }
