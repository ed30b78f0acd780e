"""Compare people with the platform, so that deletions and changes there reach us even for people who never log in."""

from collections.abc import Mapping

from worker import clock
from worker.access.people_records import PersonRecord
from worker.access.people_store import deactivate_people, store_people
from worker.access.stored_people import stored_people
from worker.database import Database
from worker.errors import Misconfigured
from worker.jobs.runs.job_run import JobRun
from worker.logs import get_logger
from worker.platform.people import PlatformPeople
from worker.workflows.context import WorkerContext
from worker.workflows.people.renew_people import differences

_log = get_logger(__name__)

_BATCH = 1000
# As in the import: if more people are gone, and these are the majority, a restored or another database is likelier.
_MAX_GONE = 100


def sweep_people(run: JobRun, context: WorkerContext) -> None:
    """Compare everybody who was read from the platform, in batches. Raises Unavailable while it does not answer."""
    platform = context.platform_people
    if platform is None:
        raise Misconfigured("PLATFORM_DATABASE_URL is not set, so there is nobody to compare people with.")
    checked = changed = after = 0
    while True:
        run.check()
        with context.database.transaction() as session:
            stored = stored_people(session, after=after, most=_BATCH)
        if not stored:
            break
        changed += _update(context.database, platform, stored)
        checked, after = checked + len(stored), max(stored)
    run.succeed({"people": checked, "changed": changed})


def _update(database: Database, platform: PlatformPeople, stored: Mapping[int, PersonRecord]) -> int:
    """Store what differs from the platform; return how many people."""
    now = clock.now()
    current = platform.read(list(stored))
    changed, gone = differences(stored, current)
    if len(gone) > _MAX_GONE and len(gone) * 2 > len(stored):
        # The import reports it and says what to do. A request of a person who is gone is refused anyway.
        _log.warning("people_gone_not_believed", gone=len(gone), people=len(stored))
        gone = []
    if changed or gone:
        with database.transaction() as session:
            store_people(session, changed, read_at=now)
            deactivate_people(session, gone, read_at=now)
    return len(changed) + len(gone)
