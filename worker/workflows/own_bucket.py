"""The bucket belongs to the database: each process checks that before it uses the bucket, and each sweep again."""

from collections.abc import Callable
from uuid import UUID

import requests

from worker.database import DATABASE_UNAVAILABLE, Database
from worker.logs import get_logger
from worker.settings import Settings
from worker.storage.brief_session import BriefSession
from worker.storage.errors import StorageUnavailable
from worker.storage.ownership import installation_id, require_own_bucket, take_over
from worker.storage.restores import resume_sweeps
from worker.storage.store import ObjectStore

_log = get_logger(__name__)


def own_store(
    settings: Settings, database: Database, *, http_session: Callable[[], requests.Session] = requests.Session
) -> ObjectStore:
    """The store of BACKBLAZE_*, once verified to be this installation's. Raises ForeignBucket, Misconfigured."""
    store = ObjectStore.from_settings(settings, http_session=http_session)
    check_owner(store, database)
    return store


def check_before_start(settings: Settings) -> None:
    """Raise ForeignBucket when the bucket is another installation's; an unavailable B2 or database is only logged."""
    database = Database(settings.sqlalchemy_url, pool_size=1, max_overflow=0)
    try:
        own_store(settings, database, http_session=BriefSession)
    except (StorageUnavailable, *DATABASE_UNAVAILABLE) as error:
        # Each job checks again before it uses the bucket.
        _log.warning("bucket_owner_unknown", error=type(error).__name__)
    finally:
        database.close()


def check_owner(store: ObjectStore, database: Database) -> None:
    """Raise ForeignBucket when the bucket is another installation's."""
    require_own_bucket(store, _installation(database))


def take_over_bucket(settings: Settings) -> None:
    """Make the bucket this installation's. An earlier owner is rejected from then on."""
    database = Database(settings.sqlalchemy_url, pool_size=1, max_overflow=0)
    try:
        store = ObjectStore.from_settings(settings)
        take_over(store, _installation(database))
        resume_sweeps(store, database)
    finally:
        database.close()


def _installation(database: Database) -> UUID:
    with database.transaction() as session:
        return installation_id(session)
