"""Compare the rows of recordings with the objects on B2 through listings; no object is fetched."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlalchemy import text

from worker.database import Database
from worker.errors import NotFound
from worker.jobs.operations.subject_jobs import live_jobs
from worker.recordings.objects.named_objects import named_object, objects_named, objects_named_by
from worker.recordings.objects.names import FOLDER, recording_id_of, recording_prefix
from worker.recordings.objects.object_faults import NamedObject, ObjectFault, fault_of, orphan, pair_up
from worker.recordings.reading import read_recording
from worker.storage.objects import StoredObject
from worker.storage.store import ObjectStore

_NOW = text("SELECT now()")


def verify_recordings(
    store: ObjectStore, database: Database, recording_id: int | None, *, orphans_before: datetime
) -> Iterator[ObjectFault]:
    """Every fault of one recording, or of all (None), as it is found; a call to B2 lists a thousand objects.

    Memory does not grow with the number of recordings. Concurrent changes are no faults: a row must have been written
    before the listing began and be unchanged, and an orphan be uploaded before `orphans_before` (younger ones may
    belong to a running job, or wait for the sweep). Raises NotFound.
    """
    with database.transaction() as session:
        began: datetime = session.scalars(_NOW).one()
    rows, objects = _both_sides(store, database, recording_id)
    for row, stored in pair_up(rows, objects):
        fault = None
        if row is not None:
            fault = fault_of(row, stored)
            if fault is not None and (row.updated_at >= began or _is_other_now(database, row)):
                fault = None
        elif stored is not None and stored.uploaded_at < orphans_before:
            fault = _orphan(database, stored)
        if fault is not None:
            yield fault


def _both_sides(
    store: ObjectStore, database: Database, recording_id: int | None
) -> tuple[Iterable[NamedObject], Iterator[StoredObject]]:
    if recording_id is None:
        return objects_named(database), _ours(store.list(FOLDER))
    with database.transaction() as session:
        recording = read_recording(session, recording_id)
        if recording is None:
            raise NotFound(f"There is no recording {recording_id}.")
        prefix = recording_prefix(recording.session_id, recording_id)
        return objects_named_by(session, recording_id), _ours(store.list(prefix))


def _ours(objects: Iterable[StoredObject]) -> Iterator[StoredObject]:
    return (stored for stored in objects if recording_id_of(stored.name) is not None)


def _is_other_now(database: Database, row: NamedObject) -> bool:
    with database.transaction() as session:
        return named_object(session, row.name) != row


def _orphan(database: Database, stored: StoredObject) -> ObjectFault | None:
    recording_id = recording_id_of(stored.name)
    with database.transaction() as session:
        if named_object(session, stored.name) is not None or live_jobs(session, [f"recording:{recording_id}"]):
            return None
    return orphan(stored, recording_id)
