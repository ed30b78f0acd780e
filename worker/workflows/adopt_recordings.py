"""Make recordings again of objects on B2 without a row, after a restore of the database."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy.orm import Session

from worker.database import Database
from worker.errors import AstegniError
from worker.jobs.enqueue import enqueue
from worker.jobs.recording_orders import RestoreRecording
from worker.recordings.adopt import insert_adopted, why_not_adopted
from worker.recordings.adoption import AdoptionPlan, plan_adoption
from worker.recordings.names import FOLDER, recording_id_of
from worker.recordings.reading import read_recording
from worker.storage.objects import StoredObject
from worker.storage.store import ObjectStore
from worker.whiteboards.sessions import session_exists


@dataclass(frozen=True)
class Adoption:
    """A recording of which B2 has objects and the database no row; `error` says why it is not adopted."""

    recording_id: int
    prefix: str
    objects: int
    bytes: int
    plan: AdoptionPlan | None
    error: str | None


def adopt_recordings(
    store: ObjectStore, database: Database, only: Collection[int], *, spool_id: str, by: str, dry_run: bool
) -> Iterator[Adoption]:
    """Adopt every recording without a row (or `only` these), in the order of their prefixes; each by itself.

    A row is inserted under the recording's own id, and a job fetches its bytes and ingests them again. With `dry_run`
    nothing changes. Idempotent: what was adopted has a row.
    """
    for prefix, objects in _groups(store):
        recording_id = recording_id_of(objects[0].name) or 0
        if only and recording_id not in only:
            continue
        with database.transaction() as session:
            if read_recording(session, recording_id) is not None:
                continue
        plan = plan_adoption(objects)
        error = _refusal(database, plan)
        if plan is not None and error is None and not dry_run:
            error = _adopt(database, plan, spool_id, by)
        size = sum(stored.size for stored in objects)
        yield Adoption(recording_id, prefix, len(objects), size, plan, error)


def _groups(store: ObjectStore) -> Iterator[tuple[str, list[StoredObject]]]:
    """The objects of one recording after the other; those of one are all that is held."""
    ours = (stored for stored in store.list(FOLDER) if recording_id_of(stored.name))
    for prefix, objects in groupby(ours, key=lambda stored: "/".join(stored.name.split("/")[:4]) + "/"):
        yield prefix, list(objects)


def _refusal(database: Database, plan: AdoptionPlan | None) -> str | None:
    if plan is None:
        return "neither its source nor its fast copy is on B2"
    with database.transaction() as session:
        if not session_exists(session, plan.session_id):
            return f"whiteboard session {plan.session_id} is not in the database, so nobody knows whose it is"
        return why_not_adopted(session, plan)


def _adopt(database: Database, plan: AdoptionPlan, spool_id: str, by: str) -> str | None:
    try:
        with database.transaction() as session:
            _write(session, plan, spool_id, by)
    except AstegniError as error:
        return error.detail
    return None


def _write(session: Session, plan: AdoptionPlan, spool_id: str, by: str) -> None:
    order = RestoreRecording(plan.recording_id, plan.session_id, spool_id, plan.size, object_name=plan.object_name)
    # Jobs are locked before their subjects.
    enqueue(session, order, principal=by)
    insert_adopted(session, plan, spool_id=spool_id)
