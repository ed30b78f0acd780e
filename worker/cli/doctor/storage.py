"""Backblaze B2: the key, the bucket, and which installation the bucket belongs to."""

from functools import partial
from typing import TYPE_CHECKING

from worker.cli.doctor.check_warning import raise_findings
from worker.cli.target import database_errors
from worker.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

_SECONDS = 5.0


def check_storage(settings: Settings, *, seconds: float = _SECONDS) -> str:
    """Check the key, the bucket, and settings of the bucket that would harm lessons; wait `seconds` for each answer."""
    from worker.storage.brief_session import BriefSession  # noqa: PLC0415 - for this check
    from worker.storage.inspection import inspect_bucket  # noqa: PLC0415
    from worker.storage.store import ObjectStore  # noqa: PLC0415

    if settings.backblaze_key_id is None:
        return "BACKBLAZE_KEY_ID is not set: `astegni up` brings an emulator"
    http_session = partial(BriefSession, seconds)
    ObjectStore.from_settings(settings, http_session=http_session).prepare_bucket()
    faults, warnings = inspect_bucket(settings, http_session=http_session)
    name = f"bucket {settings.backblaze_bucket_name} of {settings.backblaze_realm}"
    if not faults and settings.database_url is not None:
        warnings += _warnings_of_database(settings, http_session)
    raise_findings(faults, warnings, of=name)
    return name


def _warnings_of_database(settings: Settings, http_session: "Callable[[], requests.Session]") -> list[str]:
    """A warning when sweeps wait. Raises ForeignBucket.

    A database that does not answer, or is of another release, is left to its own check.
    """
    from worker.database import DATABASE_UNAVAILABLE, Database  # noqa: PLC0415 - for this check
    from worker.workflows.operations.check_backup import why_sweeps_wait  # noqa: PLC0415
    from worker.workflows.own_bucket import own_store  # noqa: PLC0415

    database = Database(settings.sqlalchemy_url, pool_size=1, max_overflow=0)
    try:
        own_store(settings, database, http_session=http_session)
        reason = why_sweeps_wait(database)
    except (*DATABASE_UNAVAILABLE, database_errors()):
        return []
    finally:
        database.close()
    return [] if reason is None else [f"sweeps wait: {reason.rstrip('.')}: run `astegni backup check`"]
