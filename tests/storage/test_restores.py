"""A database that was restored to an earlier state is detected before anything is swept."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Sql
from worker.database import Database
from worker.storage.errors import StorageRefused
from worker.storage.restores import HISTORY, SweepsHeld, held_sweeps, require_sweeps_allowed, resume_sweeps
from worker.storage.store import ObjectStore

MakeStore = Callable[..., ObjectStore]


def held(database: Database) -> str | None:
    with database.transaction() as session:
        return held_sweeps(session)


def test_a_database_that_goes_on_is_never_held(make_store: MakeStore, database: Database, sql: Sql) -> None:
    store = make_store()
    for _ in range(3):
        require_sweeps_allowed(store, database)
    assert (held(database), sql("SELECT bucket_number FROM installation")) == (None, [(3,)])


def test_a_snapshot_of_the_disk_is_behind_its_bucket(make_store: MakeStore, database: Database, sql: Sql) -> None:
    store = make_store()
    require_sweeps_allowed(store, database)
    require_sweeps_allowed(store, database)
    sql("UPDATE installation SET bucket_number = 1")
    for _ in range(2):
        with pytest.raises(SweepsHeld, match="older than its bucket"):
            require_sweeps_allowed(store, database)
    assert "older" in (held(database) or "")

    resume_sweeps(store, database)
    require_sweeps_allowed(store, database)
    assert sql("SELECT bucket_number, held_reason FROM installation") == [(3, None)]


def test_other_tables_are_a_restored_dump(make_store: MakeStore, database: Database, sql: Sql) -> None:
    store = make_store()
    assert held(database) is None
    sql("UPDATE installation SET identity = '1:2:3'")
    with pytest.raises(SweepsHeld, match="restored from a dump"):
        require_sweeps_allowed(store, database)

    resume_sweeps(store, database)
    require_sweeps_allowed(store, database)
    assert held(database) is None


def test_a_process_that_ends_before_the_bucket_is_written_does_no_harm(
    make_store: MakeStore, database: Database, sql: Sql
) -> None:
    store = make_store()
    require_sweeps_allowed(store, database)
    sql("UPDATE installation SET bucket_number = bucket_number + 1")
    require_sweeps_allowed(store, database)
    assert held(database) is None


@pytest.mark.parametrize("content", [b"", b"[]", b'{"number": "9"}', b'{"number": -1}', b"\xff"])
def test_a_number_that_somebody_else_wrote_is_refused(
    make_store: MakeStore, database: Database, tmp_path: Path, content: bytes
) -> None:
    store, path = make_store(), tmp_path / "history"
    path.write_bytes(content)
    store.upload(path, HISTORY, content_type="application/json")
    with pytest.raises(StorageRefused, match="changed by somebody else"):
        require_sweeps_allowed(store, database)
