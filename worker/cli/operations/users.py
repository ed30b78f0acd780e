"""`astegni users`: exports or erases everything that is stored of one person, as the law requires."""

import json as json_format
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from worker.cli.interruption import cleaned_up_on_signals
from worker.cli.operations.operator_name import As, actor
from worker.errors import Unavailable

app = typer.Typer(help="Export and erase what is kept of one person.", no_args_is_help=True)

UserId = Annotated[int, typer.Argument(min=1, max=2**31 - 1, metavar="ID", help="Id of the user.")]


@app.command()
def export(
    user_id: UserId,
    to: Annotated[Path, typer.Option(help="A new folder, or a new file that ends in .zip.")],
) -> None:
    """Write a person's rows as JSON, and the objects of their recordings, where only you can read them.

    Exits 1 when B2 lacks an object that a row names, 69 when it does not return one; the rest is written nevertheless.
    """
    from worker.cli.operations.recordings_target import recordings_target  # noqa: PLC0415 - not for `--help`
    from worker.workflows.people.export_person import export_person  # noqa: PLC0415

    with cleaned_up_on_signals(), recordings_target() as target:
        exported = export_person(target.database, lambda: target.store, user_id, to)
    rows = sum(exported.rows.values())
    typer.echo(f"{to}: {rows} rows of {len(exported.rows)} tables, {exported.objects} objects, {exported.bytes} bytes.")
    for name in exported.missing:
        typer.echo(f"not on B2: {name}", err=True)
    for failure in exported.unread:
        typer.echo(f"not read: {failure.error.detail}", err=True)
    if exported.unread:
        raise Unavailable(f"{to} lacks {len(exported.unread)} objects (unread.json). Remove it and export again.")
    if exported.missing:
        raise typer.Exit(1)


@app.command()
def erase(
    user_id: UserId,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; otherwise only say what would be erased.")] = False,
    as_: As = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """End a person's bookings, delete their recordings, and delete or anonymise their rows. It cannot be undone."""
    from worker import clock  # noqa: PLC0415 - not for `--help`
    from worker.cli.operations.recordings_target import recordings_target  # noqa: PLC0415
    from worker.schedules.planning import Planning  # noqa: PLC0415
    from worker.workflows.people.erase_person import erase_person, plan_erasure  # noqa: PLC0415

    by = actor(as_)
    with recordings_target() as target:
        if yes:
            planning = Planning(clock.now(), target.settings.schedule_horizon_days, skip_conflicts=True)
            erasure = erase_person(target.database, user_id, planning, by=by)
        else:
            erasure = plan_erasure(target.database, user_id)
    if json:
        typer.echo(json_format.dumps({**asdict(erasure), "done": yes}))
        return
    verb = "Erased" if yes else "Would be erased (--yes does it)"
    typer.echo(
        f"{verb}: user {user_id}; bookings ended: {erasure.bookings}, jobs stopped: {erasure.jobs}, recordings "
        f"deleted: {erasure.recordings}"
    )
    for name, count in erasure.rows.items():
        typer.echo(f"  {name}: {count}")
