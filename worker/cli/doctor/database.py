"""PostgreSQL: our own database, our processes by their heartbeats in it, and the platform's database."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.cli.doctor.check_warning import CheckWarning, raise_findings
from worker.cli.platform.findings import platform_findings
from worker.cli.target import database_error, database_errors
from worker.errors import Misconfigured
from worker.settings import Settings

if TYPE_CHECKING:
    from worker.platform.check import Finding

_LEVELS = ("CANNOT", "WARNING")
# Seconds that tokens and messages tolerate.
CLOCK_OFFSET = 10.0
_OLDEST, _NEWEST = 15, 18


def check_database(settings: Settings) -> str:
    """Check PostgreSQL, its tables, and that its clock and this machine's agree."""
    from worker.migrate import current, newest_revision  # noqa: PLC0415 - for this check

    if settings.database_url is None:
        return "DATABASE_URL is not set: `astegni up` brings its own"
    try:
        revision, newest = current(settings.sqlalchemy_url), newest_revision()
        server = read_server(settings)
    except database_errors() as error:
        raise database_error(error) from error
    faults, warnings = version_findings(server.version)
    if revision != newest:
        faults.append(f"The database is at revision {revision} and not {newest}. Run `astegni migrate`")
    if abs(server.clock_behind) > CLOCK_OFFSET:
        warnings.append(f"This machine's clock is {server.clock_behind:+.0f} s off the database's. Run NTP on both")
    raise_findings(faults, warnings)
    return f"at revision {revision}, PostgreSQL {server.version // 10_000}.{server.version % 10_000}"


def version_findings(number: int) -> tuple[list[str], list[str]]:
    """Faults and warnings about a version of PostgreSQL, like 180001 for 18.1."""
    major = number // 10_000
    if major < _OLDEST:
        return [f"PostgreSQL {major} is too old: {_OLDEST} to {_NEWEST} are needed"], []
    return [], [f"PostgreSQL {major} is newer than {_NEWEST}, the newest that was tested"] if major > _NEWEST else []


def check_processes(settings: Settings) -> str:
    """Check that workers and beat have recent heartbeats, and that jobs pass through the queues."""
    from worker.database import DATABASE_ERRORS, Database  # noqa: PLC0415 - for this check
    from worker.jobs.operations.silent_parts import read_silent_parts  # noqa: PLC0415
    from worker.queue_names import queue_names  # noqa: PLC0415

    if settings.database_url is None:
        return "DATABASE_URL is not set: `astegni up` starts them"
    database = Database(settings.sqlalchemy_url, pool_size=1, max_overflow=0)
    try:
        with database.statement() as statement:
            silent = read_silent_parts(statement, settings, queue_names(settings))
    except DATABASE_ERRORS as error:
        # The database has its own check.
        raise CheckWarning("Not known while the database cannot be read.") from error
    finally:
        database.close()
    if silent is None:
        raise CheckWarning("No worker and no beat has run within a day. Start `astegni worker` and `astegni beat`.")
    if silent:
        raise Misconfigured(f"{'; '.join(silent)}. Start what has ended; the log of what runs says loop_failed.")
    return f"workers and beat run; jobs go through {', '.join(queue_names(settings))}"


@dataclass(frozen=True)
class ServerFacts:
    """PostgreSQL's version, like 180001, and by how many seconds its clock is behind this machine's."""

    version: int
    clock_behind: float


def read_server(settings: Settings) -> ServerFacts:
    """The facts of DATABASE_URL's server. Raises SQLAlchemy's errors."""
    import time  # noqa: PLC0415 - for this check

    from sqlalchemy import text  # noqa: PLC0415

    from worker.database import Database  # noqa: PLC0415

    statement = "SELECT current_setting('server_version_num')::int, extract(epoch FROM clock_timestamp())::float"
    database = Database(settings.sqlalchemy_url, pool_size=1, max_overflow=0)
    try:
        with database.transaction() as session:
            version, theirs = session.execute(text(statement)).one()
            return ServerFacts(version, time.time() - float(theirs))
    finally:
        database.close()


def check_platform_people(settings: Settings) -> str:
    """Check that people of the platform can be read, with the findings of `astegni platform check`."""
    if settings.platform_database_url is None:
        return "PLATFORM_DATABASE_URL is not set: people are our own"
    findings = list(platform_findings(settings))
    texts = {level: "; ".join(finding.text for finding in findings if _level(finding) == level) for level in _LEVELS}
    if texts["CANNOT"]:
        raise Misconfigured(f"{texts['CANNOT']}.")
    if texts["WARNING"]:
        raise CheckWarning(f"{texts['WARNING']}.")
    return findings[0].text


def _level(finding: "Finding") -> str:
    # People are imported without a proven zone; only lessons and boards wait for it.
    return "WARNING" if finding.subject == "zone" and finding.level == "CANNOT" else finding.level
