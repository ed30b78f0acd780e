"""Backblaze B2: the key, the bucket, and which installation the bucket belongs to."""

from worker.cli.doctor.check_warning import raise_findings
from worker.cli.target import database_errors
from worker.settings import Settings


def check_storage(settings: Settings) -> str:
    """Check the key, the bucket, and settings of the bucket that would harm lessons."""
    from worker.storage.inspection import inspect_bucket  # noqa: PLC0415 - for this check
    from worker.storage.store import ObjectStore  # noqa: PLC0415

    if settings.backblaze_key_id is None:
        return "BACKBLAZE_KEY_ID is not set: `astegni up` brings an emulator"
    ObjectStore.from_settings(settings).prepare_bucket()
    faults, warnings = inspect_bucket(settings)
    name = f"bucket {settings.backblaze_bucket_name} of {settings.backblaze_realm}"
    if not faults and settings.database_url is not None:
        warnings += _warnings_of_database(settings)
    raise_findings(faults, warnings, of=name)
    return name


def _warnings_of_database(settings: Settings) -> list[str]:
    """A warning when sweeps wait. Raises ForeignBucket.

    A database that does not answer, or is of another release, is left to its own check.
    """
    from worker.database import DATABASE_UNAVAILABLE, Database  # noqa: PLC0415 - for this check
    from worker.workflows.operations.check_backup import why_sweeps_wait  # noqa: PLC0415
    from worker.workflows.own_bucket import own_store  # noqa: PLC0415

    database = Database(settings.sqlalchemy_url, pool_size=1, max_overflow=0)
    try:
        own_store(settings, database)
        reason = why_sweeps_wait(database)
    except (*DATABASE_UNAVAILABLE, database_errors()):
        return []
    finally:
        database.close()
    return [] if reason is None else [f"sweeps wait: {reason.rstrip('.')}: run `astegni backup check`"]
