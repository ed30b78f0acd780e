"""Export one person's data: their rows as JSON, one file for each table, and the objects of their recordings."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from worker.access.person_ids import PersonIds, person_ids
from worker.database import Database
from worker.recordings.objects.named_objects import objects_named_by
from worker.storage.errors import ObjectMissing
from worker.storage.store import ObjectStore
from worker.uploads.private_files import create_private
from worker.workflows.people.download_objects import PAUSES, NotDownloaded, download_objects
from worker.workflows.people.export_target import AddFile, export_target
from worker.workflows.people.personal_rows import personal_table_names, recordings_of, select_rows

_STREAMED = {"stream_results": True, "yield_per": 500}


@dataclass(frozen=True)
class PersonExport:
    """How many rows of each table, and how many objects and bytes of them, were written.

    `missing`: not on B2; `unread`: B2 did not return them.
    """

    rows: dict[str, int]
    objects: int
    bytes: int
    missing: tuple[str, ...]
    unread: tuple[NotDownloaded, ...]


def export_person(
    database: Database,
    store: Callable[[], ObjectStore],
    user_id: int,
    to: Path,
    *,
    pauses: Sequence[float] = PAUSES,
) -> PersonExport:
    """Write `rows/TABLE.json` and `objects/NAME` into the new folder `to`, or into a new .zip file of that name.

    Only its owner can read it. A failure leaves nothing. Secrets are left out: hashes, and the sealed addresses of
    channels. Objects that B2 lacks are listed in `missing.json`, those that it does not return, after these `pauses`
    in seconds, with the reason in `unread.json`; the rest is exported nevertheless. Raises NotFound, Conflict when
    `to` exists, and what `store` raises.
    """
    with database.transaction() as session:
        person = person_ids(session, user_id)
    with export_target(to) as (folder, add):
        rows = {name: _write_table(database, name, person, folder, add) for name in personal_table_names()}
        sizes, failures = _write_objects(database, store, person, folder, add, pauses)
        missing = tuple(failure.name for failure in failures if isinstance(failure.error, ObjectMissing))
        unread = tuple(failure for failure in failures if not isinstance(failure.error, ObjectMissing))
        if missing:
            _write_list("missing.json", missing, folder, add)
        if unread:
            documents = [{"object": failure.name, "reason": failure.error.detail} for failure in unread]
            _write_list("unread.json", documents, folder, add)
    written = {name: count for name, count in rows.items() if count}
    return PersonExport(written, len(sizes), sum(sizes), missing, unread)


def _write_table(database: Database, name: str, person: PersonIds, folder: Path, add: AddFile) -> int:
    """Write one JSON array; returns its length. An empty table has no file."""
    path, count = folder / f"{name}.json", 0
    with os.fdopen(create_private(path), "wb") as out, database.transaction() as session:
        out.write(b"[")
        for row in session.execute(select_rows(name, person), execution_options=_STREAMED):
            out.write(b",\n" if count else b"\n")
            out.write(to_json(_document(row), bytes_mode="base64"))
            count += 1
        out.write(b"\n]\n")
    if count:
        add(f"rows/{name}.json", path)
    else:
        path.unlink()
    return count


def _document(row: Any) -> dict[str, Any]:
    return dict(row._mapping)  # noqa: SLF001 - the documented way to a row's columns by name


def _write_objects(
    database: Database,
    store: Callable[[], ObjectStore],
    person: PersonIds,
    folder: Path,
    add: AddFile,
    pauses: Sequence[float],
) -> tuple[list[int], list[NotDownloaded]]:
    """The sizes of the objects written, and those that could not be."""
    with database.transaction() as session:
        named = [each for recording in recordings_of(session, person) for each in objects_named_by(session, recording)]
    sizes: list[int] = []
    failures: list[NotDownloaded] = []
    path = folder / "object"
    for downloaded in download_objects(store, named, path, pauses=pauses):
        if isinstance(downloaded, NotDownloaded):
            failures.append(downloaded)
            continue
        sizes.append(path.stat().st_size)
        add(f"objects/{downloaded}", path)
    return sizes, failures


def _write_list(name: str, values: Sequence[Any], folder: Path, add: AddFile) -> None:
    path = folder / name
    with os.fdopen(create_private(path), "wb") as out:
        out.write(to_json(values, indent=2))
    add(name, path)
