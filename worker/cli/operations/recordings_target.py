"""The database and the bucket of the commands about recordings."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from worker.cli.target import settings_with_stack
from worker.database import Database
from worker.settings import Settings
from worker.storage.store import ObjectStore
from worker.workflows.own_bucket import own_store


@dataclass(frozen=True)
class RecordingsTarget:
    """The settings, the database, and the bucket that belongs to it (on demand: not every command needs B2)."""

    settings: Settings
    database: Database

    @cached_property
    def store(self) -> ObjectStore:
        """The bucket. Raises Misconfigured, and ForeignBucket when it belongs to another installation."""
        return own_store(self.settings, self.database)


@contextmanager
def recordings_target() -> Iterator[RecordingsTarget]:
    """The target that the environment names, completed by the running stack."""
    settings, _ = settings_with_stack()
    database = Database(settings.sqlalchemy_url, pool_size=1, max_overflow=1)
    try:
        yield RecordingsTarget(settings, database)
    finally:
        database.close()
