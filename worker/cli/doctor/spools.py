"""The spools of all machines: whether a worker can read the bytes that each holds."""

from worker.cli.doctor.check_warning import CheckWarning
from worker.errors import Misconfigured
from worker.settings import Settings

_REMEDY = (
    "Start the machine's media worker; its jobs go on where they stopped. docs/operations.md (More machines) says what "
    "to do when its disk is lost."
)


def check_spools(settings: Settings) -> str:
    """Check that a worker reads every spool with bytes that are stored nowhere else."""
    from worker.database import DATABASE_ERRORS, Database  # noqa: PLC0415 - for this check
    from worker.workflows.uploads.spools import unreachable_spools, used_spools  # noqa: PLC0415

    if settings.database_url is None:
        return "DATABASE_URL is not set: `astegni up` has one"
    database = Database(settings.sqlalchemy_url, pool_size=1, max_overflow=0)
    try:
        with database.transaction() as session:
            names = [use.spool_id for use in used_spools(session)]
            unreachable = unreachable_spools(session, interval=settings.heartbeat_interval)
    except DATABASE_ERRORS as error:
        # The database has its own check.
        raise CheckWarning("Not known while the database cannot be read.") from error
    finally:
        database.close()
    if unreachable:
        raise Misconfigured(f"{'; '.join(unreachable)[:1].upper()}{'; '.join(unreachable)[1:]}. {_REMEDY}")
    return f"workers see what waits in {', '.join(names)}" if names else "no bytes wait in any"
