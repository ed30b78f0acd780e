"""Detect that the database was restored from a backup, so that it does not know of objects in its own bucket.

A sweep would delete these objects. There are two signs: the database's own identity, which a dump carries into another
database or other tables, and a number that is increased here before it is written to the bucket. A bucket whose number
is ahead of the database's has seen a later state of it, however that was rolled back.
"""

import json
import tempfile
from pathlib import Path

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from models.installation import Installation
from worker.database import Database
from worker.errors import AstegniError
from worker.storage.errors import ObjectMissing, StorageRefused
from worker.storage.store import ObjectStore

HISTORY = "videos/whiteboard/.history"

# After a restore all sequences continue by so much later. What was made since the backup is known by its ids elsewhere:
# to objects on B2, calendars, mail and pages that somebody has open. A later row must not be taken for it.
_SKIPPED = 1_000_000
_DUMP = "The tables of this database were restored from a dump."
_OLDER = "This database is older than its bucket: it was taken back to an earlier state."
# The cluster, the database in it, and the table: pg_restore creates at least one of them again. pg_upgrade changes the
# first, and then sweeps wait as well.
_IDENTITY = text(
    """
    SELECT concat_ws(':', (SELECT system_identifier FROM pg_control_system()),
                     (SELECT oid FROM pg_database WHERE datname = current_database()), 'installation'::regclass::oid)
    """
)
# The ids are given once, so an aborted transaction skips more of them and does no harm. A sequence in the second half
# of its range keeps its place: it must last.
_SKIP_IDS = text(
    """
    SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, coalesce(last_value, start_value) + :skipped)
      FROM pg_sequences
     WHERE schemaname = current_schema() AND coalesce(last_value, start_value) < max_value / 2
    """
)


class SweepsHeld(AstegniError):
    """Nothing that looks unused is deleted until an operator has checked what a restore has lost."""

    code, title, status = "sweeps-held", "Sweeps wait", 409


def held_sweeps(session: Session) -> str | None:
    """Why sweeps wait; None if the database itself gives no reason.

    The first call after a dump was restored gives later rows ids that nothing has had.
    """
    installation = _lock(session)
    identity: str = session.scalars(_IDENTITY).one()
    if installation.identity not in {None, identity}:
        _hold(session, installation, _DUMP)
    installation.identity = identity
    return installation.held_reason


def require_sweeps_allowed(store: ObjectStore, database: Database) -> None:
    """Raise SweepsHeld when the database was restored; otherwise increase the number, here and in the bucket."""
    # Read before the database's number: a number in the bucket was committed there first.
    seen = _read_number(store)
    with database.transaction() as session:
        reason, installation = held_sweeps(session), _lock(session)
        if reason is None and seen > installation.bucket_number:
            _hold(session, installation, _OLDER)
            reason = _OLDER
        if reason is None:
            installation.bucket_number += 1
        number = installation.bucket_number
    if reason is not None:
        raise SweepsHeld(
            f"{reason} Nothing is swept meanwhile. Run `astegni backup check`, take back what you need by `astegni "
            "recordings adopt`, then run `astegni backup resume`."
        )
    _write_number(store, number)


def resume_sweeps(store: ObjectStore, database: Database) -> None:
    """Accept the database as it is: sweeps delete unnamed objects again. Idempotent."""
    seen = _read_number(store)
    with database.transaction() as session:
        installation = _lock(session)
        installation.identity = session.scalars(_IDENTITY).one()
        installation.bucket_number = max(installation.bucket_number, seen)
        installation.held_reason = None


def _hold(session: Session, installation: Installation, reason: str) -> None:
    installation.held_reason = installation.held_reason or reason
    session.execute(_SKIP_IDS, {"skipped": _SKIPPED})


def _lock(session: Session) -> Installation:
    return session.scalars(select(Installation).with_for_update()).one()


def _read_number(store: ObjectStore) -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "history.json")
        try:
            store.download(HISTORY, path)
            number = json.loads(path.read_bytes())["number"]
        except ObjectMissing:
            return 0
        except (ValueError, KeyError, TypeError) as error:
            raise _unreadable() from error
    if not isinstance(number, int) or not 0 <= number < 2**62:
        raise _unreadable()
    return number


def _unreadable() -> StorageRefused:
    return StorageRefused(f"The object {HISTORY} was changed by somebody else. Delete it, and it is written again.")


def _write_number(store: ObjectStore, number: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "history.json")
        path.write_text(json.dumps({"number": number}))
        store.upload(path, HISTORY, content_type="application/json")
