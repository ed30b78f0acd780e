"""`astegni platform import` and `report`: what was taken from the platform, and what was not."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from worker.cli.platform.findings import platform_reader
from worker.cli.target import settings_of_stack

if TYPE_CHECKING:
    from worker.database import Database
    from worker.platform.connection import PlatformConnection
    from worker.platform.refusals import RefusedRow
    from worker.settings import Settings
    from worker.workflows.platform_import.run import KindReport
    from worker.workflows.platform_import.transactions import Transactions

# Wide enough for whole reasons where the width of the terminal is unknown.
_PIPED_WIDTH = 200


def import_rows(*, document: bool, dry_run: bool, accept_deletes: bool) -> bool:
    """Import and print what was done, with `dry_run` also refusals and omissions. Returns whether nothing waits.

    `document`: import the tables of 2025 instead.

    Raises Misconfigured, Unavailable.
    """
    from worker.platform.refusals import list_refusals  # noqa: PLC0415 - not for `--help`
    from worker.workflows.platform_import.transactions import rolled_back  # noqa: PLC0415

    with _opened() as (database, connection, settings):
        if not dry_run:
            return _print_reports(_reports(database, connection, settings, document, accept_deletes))
        with rolled_back(database) as transactions:
            is_complete = _print_reports(_reports(transactions, connection, settings, document, accept_deletes))
            _print_refusals(list_refusals(transactions.session))
    typer.echo("Nothing was changed.")
    return is_complete


def dry_run_lines() -> Iterator[str]:
    """What an import would take and refuse now, kind by kind with the reasons counted. Nothing is changed.

    Raises Misconfigured, Unavailable.
    """
    from worker.platform.refusals import count_refusals  # noqa: PLC0415 - not for `--help`
    from worker.workflows.platform_import.transactions import rolled_back  # noqa: PLC0415

    with _opened() as (database, connection, settings), rolled_back(database) as transactions:
        reports = list(_reports(transactions, connection, settings, False, False))
        reasons = count_refusals(transactions.session)
        for report in reports:
            if report.waits_for is not None:
                yield f"{report.kind}: waits for {report.waits_for}"
                continue
            counted = [f"{number} {code}" for code, number in reasons.get(report.kind, {}).items()]
            words = f"{report.counts['stored']} new or changed would be taken, {report.counts['refused']} refused"
            yield f"{report.kind}: {words}{'; ' if counted else ''}{', '.join(counted)}"


def report_refusals() -> None:
    """Print every row that was refused, or of which a part was left out."""
    from worker.database import Database  # noqa: PLC0415 - not for `--help`
    from worker.platform.refusals import list_refusals  # noqa: PLC0415

    database = Database(settings_of_stack().sqlalchemy_url, pool_size=1, max_overflow=0)
    try:
        with database.transaction() as session:
            _print_refusals(list_refusals(session))
    finally:
        database.close()


@contextmanager
def _opened() -> "Iterator[tuple[Database, PlatformConnection, Settings]]":
    from worker.database import Database  # noqa: PLC0415 - not for `--help`

    settings = settings_of_stack()
    with platform_reader(settings) as connection:
        database = Database(settings.sqlalchemy_url, pool_size=1, max_overflow=1)
        try:
            yield database, connection, settings
        finally:
            database.close()


def _reports(
    transactions: "Transactions",
    connection: "PlatformConnection",
    settings: "Settings",
    document: bool,
    accept_deletes: bool,
) -> "Iterable[KindReport]":
    from worker.platform.zone import PlatformZone  # noqa: PLC0415 - not for `--help`
    from worker.workflows.platform_import.kinds import all_kinds, document_kinds  # noqa: PLC0415
    from worker.workflows.platform_import.pull import import_platform  # noqa: PLC0415

    server_zone = PlatformZone(connection, settings.platform_timezone).proof().zone
    return import_platform(
        transactions,
        connection,
        timezone=settings.timezone,
        server_zone=server_zone,
        kinds=document_kinds if document else all_kinds,
        compare=True,
        accept_deletes=accept_deletes,
    )


def _print_reports(reports: "Iterable[KindReport]") -> bool:
    is_complete = True
    for report in reports:
        if report.waits_for is not None:
            is_complete = False
            typer.echo(f"{report.kind:<20}waits for {report.waits_for}")
            continue
        counts = report.counts
        words = [f"{counts['read']} read", f"{counts['stored']} stored", f"{counts['refused']} refused"]
        typer.echo(f"{report.kind:<20}{', '.join(words)}, {counts['removed']} removed")
    return is_complete


def _print_refusals(refusals: "Iterable[RefusedRow]") -> None:
    from rich.console import Console  # noqa: PLC0415 - not for `--help`
    from rich.table import Column, Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(
        "kind", "row", "outcome", Column("why", overflow="fold"), Column("what to do", overflow="fold"), box=None
    )
    number = refused = 0
    for row in refusals:
        number, refused = number + 1, refused + row.is_refused
        outcome = "refused" if row.is_refused else "taken"
        table.add_row(row.kind, str(row.platform_id), outcome, Text(row.reason), Text(row.remedy))
    console = Console()
    if not console.is_terminal:
        console.width = _PIPED_WIDTH
    if number:
        console.print(table)
    typer.echo(f"{refused} refused, {number - refused} taken with something left out or worth a look.")
