"""How a restored database and its bucket differ, recording by recording."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from worker.database import Database
from worker.recordings.objects.object_faults import ObjectFault
from worker.recordings.reading import read_recording
from worker.storage.restores import held_sweeps
from worker.storage.store import ObjectStore
from worker.workflows.operations.verify_recordings import verify_recordings


@dataclass(frozen=True)
class RecordingGap:
    """A recording that one side lacks in whole or in part, as object names.

    `missing`: rows name them, but B2 lacks them or has others; `unnamed`: B2 has them, but no row names them. `has_row`
    is False for a recording that the database does not know: `astegni recordings adopt` may restore it.
    """

    recording_id: int
    has_row: bool
    missing: tuple[str, ...]
    unnamed: tuple[str, ...]


def why_sweeps_wait(database: Database) -> str | None:
    """Why sweeps wait for an operator; None when they do not."""
    with database.transaction() as session:
        return held_sweeps(session)


def find_gaps(store: ObjectStore, database: Database, *, now: datetime) -> Iterator[RecordingGap]:
    """Every recording with a gap, in the order of its names on B2; objects of running jobs are left out."""
    faults = verify_recordings(store, database, None, orphans_before=now)
    for recording_id, its_faults in groupby(faults, key=lambda fault: fault.recording_id or 0):
        yield _gap(database, recording_id, list(its_faults))


def _gap(database: Database, recording_id: int, faults: list[ObjectFault]) -> RecordingGap:
    with database.transaction() as session:
        has_row = read_recording(session, recording_id) is not None
    return RecordingGap(
        recording_id,
        has_row,
        tuple(fault.name for fault in faults if fault.fault != "orphan"),
        tuple(fault.name for fault in faults if fault.fault == "orphan"),
    )
