"""The command: the checks in their order, what is printed, and the exit status."""

import json as json_format
from typing import Annotated

import typer

from worker.cli.doctor.broker import check_broker
from worker.cli.doctor.database import check_database, check_platform_people, check_processes
from worker.cli.doctor.machine import check_canvas, check_media, check_spool, check_versions
from worker.cli.doctor.mail import check_mail
from worker.cli.doctor.names import check_names
from worker.cli.doctor.report import Check, as_document, run_checks, worst_of
from worker.cli.doctor.spools import check_spools
from worker.cli.doctor.storage import check_storage
from worker.cli.target import settings_with_stack

_CHECKS: dict[str, Check] = {
    "versions": check_versions,
    "settings": check_names,
    "ffmpeg": check_media,
    "canvas": check_canvas,
    "spool": check_spool,
    "database": check_database,
    "platform": check_platform_people,
    "broker": check_broker,
    "processes": check_processes,
    "spools": check_spools,
    "storage": check_storage,
    "mail": check_mail,
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check the programs, the disk and the services of the environment, or of the stack running on this machine.

    Exits 1 when a check fails; warnings alone exit 0.
    """
    settings, stack = settings_with_stack()
    if stack is not None and not json:
        typer.echo(f"What the environment does not name is that of the running stack, {stack}")
    results = []
    for result in run_checks(_CHECKS, settings):
        results.append(result)
        if not json:
            typer.echo(result.line)
    if json:
        typer.echo(json_format.dumps(as_document(results, stack)))
    if worst_of(results) == "failed":
        raise typer.Exit(1)
