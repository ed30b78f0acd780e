"""Turn objects on B2 without a row into recordings again, after a restore of the database."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from sqlalchemy.orm import Session

from worker.database import Database
from worker.errors import AstegniError
from worker.jobs.enqueue import enqueue
from worker.jobs.operations.subject_jobs import newest_jobs
from worker.jobs.orders.recording_orders import RemoveRecordingFiles, RestoreRecording
from worker.recordings.objects.adopt import insert_adopted, is_adopted, next_recording_id, why_not_adopted
from worker.recordings.objects.adoption import AdoptionPlan, plan_adoption
from worker.recordings.objects.names import FOLDER, recording_id_of
from worker.recordings.outputs.renditions import named_objects
from worker.recordings.reading import read_recording
from worker.storage.objects import StoredObject
from worker.storage.store import ObjectStore
from worker.whiteboards.sessions import session_created_at


@dataclass(frozen=True)
class Adoption:
    """A recording with objects on B2 but no row in the database; `error` says why it is not adopted.

    `is_renumbered`: its id belongs to a row with other bytes, so it gets a new one, that of `plan`.
    """

    recording_id: int
    prefix: str
    objects: int
    bytes: int
    plan: AdoptionPlan | None
    error: str | None
    is_renumbered: bool = False


def adopt_recordings(
    store: ObjectStore, database: Database, only: Collection[int], *, spool_id: str, by: str, dry_run: bool
) -> Iterator[Adoption]:
    """Adopt every recording without a row (or `only` these), each separately, in the order of their prefixes.

    A row is inserted under the recording's own id, or a new one if that id has a row with other bytes, and a job
    fetches its bytes and ingests them again. With `dry_run` nothing changes. Idempotent: adopted recordings have a row.
    A recording that was deleted here is not adopted: its objects stay until a job, or the sweep, has removed them. Ids
    of `only` that are not on B2 come last, with an error.
    """
    missing = set(only)
    for prefix, objects in _groups(store):
        recording_id = recording_id_of(objects[0].name) or 0
        if only and recording_id not in only:
            continue
        missing.discard(recording_id)
        lost = _lost(database, recording_id, objects)
        if not lost.objects:
            continue
        plan = plan_adoption(lost.objects)
        if lost.is_renumbered and (plan is None or _is_known(database, plan)):
            continue
        error = _refusal(database, plan, lost)
        if plan is not None and error is None and not dry_run:
            plan, error = _adopt(database, plan, lost, spool_id, by)
        size = sum(stored.size for stored in lost.objects)
        yield Adoption(recording_id, prefix, len(lost.objects), size, plan, error, lost.is_renumbered)
    for recording_id in sorted(missing):
        yield Adoption(recording_id, "", 0, 0, None, f"B2 has no object of recording {recording_id}")


@dataclass(frozen=True)
class _Lost:
    """Objects below one prefix that do not belong to the row with their id, if there is one."""

    objects: list[StoredObject]
    is_renumbered: bool


def _lost(database: Database, recording_id: int, objects: list[StoredObject]) -> _Lost:
    """The objects without a row.

    After a restore a recording may get the id of a lost one: objects older than its row are not its own. And its bytes
    may have been extended after the backup: B2 then has nothing that its rows name.
    """
    with database.transaction() as session:
        row = read_recording(session, recording_id)
        named = named_objects(session, recording_id)
    if row is None:
        return _Lost(objects, is_renumbered=False)
    has_none = not row.is_processing and named.isdisjoint(stored.name for stored in objects)
    own = f"/{(row.source_sha1 or '')[:12]}/"
    of_another = [
        stored for stored in objects if own not in stored.name and (has_none or stored.uploaded_at < row.created_at)
    ]
    return _Lost(of_another, is_renumbered=True)


def _is_known(database: Database, plan: AdoptionPlan) -> bool:
    with database.transaction() as session:
        return is_adopted(session, plan)


def _groups(store: ObjectStore) -> Iterator[tuple[str, list[StoredObject]]]:
    """The objects of one recording after the other; only one recording's are in memory."""
    ours = (stored for stored in store.list(FOLDER) if recording_id_of(stored.name))
    for prefix, objects in groupby(ours, key=lambda stored: "/".join(stored.name.split("/")[:4]) + "/"):
        yield prefix, list(objects)


def _refusal(database: Database, plan: AdoptionPlan | None, lost: _Lost) -> str | None:
    if plan is None:
        return "neither its source nor its fast copy is on B2"
    with database.transaction() as session:
        if not lost.is_renumbered and _was_deleted(session, plan.recording_id):
            return "it was deleted here, and its objects are only waiting to be removed"
        created_at = session_created_at(session, plan.session_id)
        if created_at is None:
            return f"whiteboard session {plan.session_id} is not in the database, so nobody knows whose it is"
        if created_at > plan.uploaded_at:
            # Its own session was lost as well, and what it holds is for other people.
            return f"whiteboard session {plan.session_id} was made after its upload, so it is another one"
        return why_not_adopted(session, plan)


def _was_deleted(session: Session, recording_id: int) -> bool:
    """Whether the ledger has the order to remove the files of this recording, which has no row."""
    return any(job.kind == RemoveRecordingFiles.kind for job in newest_jobs(session, f"recording:{recording_id}"))


def _adopt(
    database: Database, plan: AdoptionPlan, lost: _Lost, spool_id: str, by: str
) -> tuple[AdoptionPlan, str | None]:
    """The plan as it was carried out, or why it was not."""
    try:
        with database.transaction() as session:
            if lost.is_renumbered:
                plan = replace(plan, recording_id=next_recording_id(session))
            _write(session, plan, spool_id, by)
    except AstegniError as error:
        return plan, error.detail
    return plan, None


def _write(session: Session, plan: AdoptionPlan, spool_id: str, by: str) -> None:
    order = RestoreRecording(plan.recording_id, plan.session_id, spool_id, plan.size, object_name=plan.object_name)
    # Jobs are locked before their subjects.
    enqueue(session, order, principal=by)
    insert_adopted(session, plan, spool_id=spool_id)
