"""Import everything from the platform: as a job each minute, and as a command."""

from collections.abc import Callable, Iterator

from worker import clock
from worker.errors import Misconfigured, Unavailable
from worker.jobs.runs.job_run import JobRun
from worker.logs import get_logger
from worker.platform.catalog import Catalog
from worker.platform.connection import PlatformConnection
from worker.platform.zone import ServerZone
from worker.workflows.context import WorkerContext
from worker.workflows.platform_import.kind import Kind, Pull
from worker.workflows.platform_import.kinds import all_kinds
from worker.workflows.platform_import.run import KindReport, pull_kinds
from worker.workflows.platform_import.transactions import PullLimits, Transactions

_log = get_logger(__name__)


def pull_platform(run: JobRun, context: WorkerContext) -> None:
    """Bring everything that comes from the platform up to date.

    While the platform is unavailable nothing is read and the job succeeds: the next one reads what this one has missed.
    """
    connection, zone = context.platform_connection, context.platform_zone
    if connection is None or zone is None:
        raise Misconfigured("PLATFORM_DATABASE_URL is not set, so there is nothing to pull.")
    counts: dict[str, object] = {}
    try:
        reports = import_platform(
            context.database,
            connection,
            timezone=context.settings.timezone,
            server_zone=zone.proof().zone,
            check=run.check,
        )
        for report in reports:
            counts[report.kind] = dict(+report.counts) if report.waits_for is None else {"waits": 1}
            run.progress(0, report.kind)
    except Unavailable as error:
        _log.warning("platform_not_pulled", reason=error.detail)
        counts["away"] = error.detail
    run.succeed(counts)


def import_platform(
    transactions: Transactions,
    connection: PlatformConnection,
    *,
    timezone: str,
    server_zone: ServerZone | None,
    kinds: Callable[[], list[Kind]] = all_kinds,
    compare: bool = False,
    accept_deletes: bool = False,
    check: Callable[[], None] = lambda: None,
    limits: PullLimits | None = None,
) -> Iterator[KindReport]:
    """Import these kinds in order; yields what was done with each. Raises Unavailable.

    `timezone` is the zone of lessons' times of day, `server_zone` that in which the platform's SQL writes times.
    """
    pull = Pull(connection, Catalog.read(connection), clock.now(), server_zone, timezone)
    yield from pull_kinds(
        transactions, kinds(), pull, compare=compare, accept_deletes=accept_deletes, check=check, limits=limits
    )
