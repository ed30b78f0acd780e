"""`astegni platform`: the platform's database, from which this worker only reads."""

from typing import Annotated

import typer

from worker.cli.platform.findings import platform_findings
from worker.cli.platform.imports import dry_run_lines, import_rows, report_refusals
from worker.cli.target import database_errors, settings_of_stack
from worker.errors import AstegniError
from worker.settings import Settings

app = typer.Typer(help="Look at the platform's database (PLATFORM_DATABASE_URL). Nothing is changed there.")

_EXIT_WARNINGS, _EXIT_CANNOT = 1, 2


@app.callback()
def platform() -> None:
    """Look at the platform's database (PLATFORM_DATABASE_URL). Nothing is changed there."""


@app.command()
def check() -> None:
    """Report the state of the platform's database, what this role may read, which people would be taken, and its zone.

    Where DATABASE_URL names our own database, also what an import would take and refuse now, and why.
    Exit 0 when all is well, 1 with warnings, 2 when people cannot be read or the server's zone is not proven.
    """
    try:
        levels = _print_findings(Settings())
        if "CANNOT" not in levels:
            levels |= _print_dry_run()
    except AstegniError as error:
        typer.echo(f"astegni: {error.detail}", err=True)
        raise typer.Exit(_EXIT_CANNOT) from error
    if "CANNOT" in levels:
        raise typer.Exit(_EXIT_CANNOT)
    if "WARNING" in levels:
        raise typer.Exit(_EXIT_WARNINGS)


def _print_findings(settings: Settings) -> set[str]:
    """Print each finding and return their levels. Raises Misconfigured, Unavailable."""
    levels: set[str] = set()
    for finding in platform_findings(settings):
        levels.add(finding.level)
        _print_finding(finding.subject, finding.level, finding.text)
    return levels


def _print_dry_run() -> set[str]:
    """Print what an import would do and return its level, in a set; the set is empty without a database of ours."""
    if settings_of_stack().database_url is None:
        return set()
    try:
        for line in dry_run_lines():
            _print_finding("import", "ok", line)
    except AstegniError as error:
        _print_finding("import", "WARNING", f"nothing was counted: {error.detail}")
        return {"WARNING"}
    except database_errors() as error:
        reason = str(getattr(error, "orig", error)).strip().split("\n")[0]
        _print_finding("import", "WARNING", f"our own database cannot be used, nothing was counted: {reason}")
        return {"WARNING"}
    return {"ok"}


def _print_finding(subject: str, level: str, text: str) -> None:
    typer.echo(f"{subject:<10}{level:<9}{text}")


@app.command()
def grants(
    database: Annotated[str, typer.Option(help="Name of the platform's database.")] = "astegni",
    role: Annotated[str, typer.Option(help="Name of the role that reads.")] = "astegni_reader",
    document: Annotated[bool, typer.Option("--document", help="For the tables of 2025.")] = False,
) -> None:
    """Print the statements that create a role with the rights to read that this worker needs, to be run with psql."""
    from worker.platform.grants import grants as statements  # noqa: PLC0415 - not for `--help`

    for statement in statements(database, role, document=document):
        typer.echo(statement)


@app.command("import")
def import_command(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be done, and change nothing.")] = False,
    document: Annotated[
        bool, typer.Option("--document", help="Take the tables of 2025 instead, by users' ids.")
    ] = False,
    accept_deletes: Annotated[
        bool, typer.Option("--accept-deletes", help="Also when most rows of a kind have gone there at once.")
    ] = False,
) -> None:
    """Take everything from the platform that is new or has changed. Idempotent; the worker does it each minute.

    Exit 0 when all was taken or is in the report, 1 when something waits, 2 when the platform cannot be read.
    """
    try:
        is_complete = import_rows(document=document, dry_run=dry_run, accept_deletes=accept_deletes)
    except AstegniError as error:
        typer.echo(f"astegni: {error.detail}", err=True)
        raise typer.Exit(_EXIT_CANNOT) from error
    if not is_complete:
        raise typer.Exit(_EXIT_WARNINGS)


@app.command()
def report() -> None:
    """List what could not be taken from the platform: each row, the reason, and what to do."""
    report_refusals()
